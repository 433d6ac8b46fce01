/** A worker for tests: a store and a log in a Durable Object's own SQLite, called by msgpack. */

import { DurableObject } from "cloudflare:workers";
import { SqliteEventLog } from "../../adapters/logs/sqlite-event-log.ts";
import { answerCall } from "../../adapters/runtimes/cloudflare/rpc.ts";
import { durableSql } from "../../adapters/runtimes/cloudflare/durable-sql.ts";
import { SqliteStore } from "../../adapters/stores/sqlite-store.ts";
import type {
  AppendOptions,
  FollowRange,
  LogEntry,
  LogRange,
  Seal,
  TrimOptions,
} from "../../src/store/event-log.ts";
import type { StoreWrite } from "../../src/store/online-store.ts";
import { packMsgpack, unpackMsgpack } from "../../src/tile/msgpack.ts";

interface TestEnvironment {
  readonly STORE: DurableObjectNamespace;
  readonly LOG: DurableObjectNamespace;
}

type Method = (...values: never[]) => Promise<unknown>;

export class StoreObject extends DurableObject {
  override fetch(request: Request): Promise<Response> {
    const { sql } = this.ctx.storage;
    const store = new SqliteStore(durableSql(this.ctx.storage));
    return answerRequest(request, {
      capabilities: () => Promise.resolve(store.capabilities),
      readMany: (keys: readonly string[], isAborted: boolean) =>
        store.readMany(keys, isAborted ? { signal: AbortSignal.abort() } : {}),
      write: (writes: readonly StoreWrite[]) => store.write(writes),
      // The table of a store that fails has other columns, as no store would have made it.
      ruin: () => {
        sql.exec("DROP TABLE records");
        sql.exec("CREATE TABLE records (other TEXT)");
        return Promise.resolve();
      },
    });
  }
}

export class LogObject extends DurableObject {
  override fetch(request: Request): Promise<Response> {
    const idsMax = Number(new URL(request.url).searchParams.get("idsMax"));
    const log = new SqliteEventLog(durableSql(this.ctx.storage), { idsMax });
    return answerRequest(request, {
      append: (
        entries: readonly LogEntry[],
        options: Omit<AppendOptions, "redeliveryHorizonMs">,
        horizons: [string, number][],
      ) => log.append(entries, { ...options, redeliveryHorizonMs: new Map(horizons) }),
      read: (range: LogRange) => log.read(range),
      seal: (seal: Seal) => log.seal(seal),
      currentEpoch: () => log.currentEpoch(),
      epochs: (epochMin: number) => log.epochs(epochMin),
      appliedSeq: () => log.appliedSeq(),
      setAppliedSeq: (seq: number) => log.setAppliedSeq(seq),
      trim: (epoch: number, options: TrimOptions) => log.trim(epoch, options),
      follow: (range: FollowRange) => log.follow(range),
      closeBefore: (source: string, beforeMs: number) => log.closeBefore(source, beforeMs),
      viewFloors: async (fingerprints: readonly string[]) => [
        ...(await log.viewFloors(fingerprints)),
      ],
    });
  }
}

export default {
  /** The path names the class and the object: `/STORE/{name}`. */
  fetch(request: Request, env: TestEnvironment): Promise<Response> {
    const [, binding, name] = new URL(request.url).pathname.split("/");
    const namespace = env[binding as keyof TestEnvironment];
    return namespace.get(namespace.idFromName(String(name))).fetch(request);
  },
};

async function answerRequest(
  request: Request,
  methods: Readonly<Record<string, Method>>,
): Promise<Response> {
  const body = new Uint8Array(await request.arrayBuffer());
  const [name, ...values] = unpackMsgpack(body) as [string, ...never[]];
  // A method that throws at once is answered like one that rejects.
  const answer = await answerCall(async () => (methods[name] as Method)(...values));
  return new Response(packMsgpack(answer));
}
