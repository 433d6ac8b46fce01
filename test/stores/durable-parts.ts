/** Stores and logs in Durable Objects of a real workerd, used from this process. */

import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare } from "miniflare";
import { call } from "../../adapters/runtimes/cloudflare/rpc.ts";
import type { RpcAnswer } from "../../adapters/runtimes/cloudflare/rpc.ts";
import type { KvBinding } from "../../adapters/stores/workers-kv-store.ts";
import { bundleEntry } from "../../scripts/cli/bundle-worker.ts";
import { compatibilityDate } from "../../scripts/cli/dev-server.ts";
import type { EventLogShard } from "../../src/store/event-log.ts";
import type { OnlineStore, StoreCapabilities } from "../../src/store/online-store.ts";
import { packMsgpack, unpackMsgpack } from "../../src/tile/msgpack.ts";

export interface DurableParts {
  readonly kv: KvBinding;
  /** The store of a Durable Object of its own. */
  openStore(name: string): Promise<OnlineStore>;
  /** One whose table is not what the store made. */
  openRuinedStore(name: string): Promise<OnlineStore>;
  openLog(name: string, idsMax: number): EventLogShard;
  close(): Promise<void>;
}

type Send = (method: string, ...values: readonly unknown[]) => Promise<unknown>;

/** Starts workerd with its state in memory. */
export async function startDurableParts(): Promise<DurableParts> {
  const workerFile = fileURLToPath(import.meta.resolve("./durable-worker.ts"));
  const entry = `export * from ${JSON.stringify(workerFile)};
export { default } from ${JSON.stringify(workerFile)};`;
  const miniflare = new Miniflare({
    modules: true,
    script: await bundleEntry(entry),
    compatibilityDate,
    cf: false,
    log: new Log(LogLevel.NONE),
    kvNamespaces: ["BATCH"],
    durableObjects: {
      STORE: { className: "StoreObject", useSQLite: true },
      LOG: { className: "LogObject", useSQLite: true },
    },
  });
  await miniflare.ready;
  const sender = (path: string): Send => {
    return async (method, ...values) => {
      const body = packMsgpack([method, ...values]);
      const request = { method: "POST", body };
      const response = await miniflare.dispatchFetch(`http://localhost/${path}`, request);
      const answer = new Uint8Array(await response.arrayBuffer());
      if (!response.ok) throw new Error(new TextDecoder().decode(answer));
      const answered = unpackMsgpack(answer) as RpcAnswer<unknown>;
      return call("Durable Object", Promise.resolve(answered));
    };
  };
  return {
    kv: (await miniflare.getKVNamespace("BATCH")) as unknown as KvBinding,
    openStore: (name) => durableStore(sender(`STORE/${name}`)),
    openRuinedStore: async (name) => {
      const send = sender(`STORE/${name}`);
      const store = await durableStore(send);
      await send("ruin");
      return store;
    },
    openLog: (name, idsMax) => durableLog(sender(`LOG/${name}?idsMax=${idsMax}`)),
    close: () => miniflare.dispose(),
  };
}

async function durableStore(send: Send): Promise<OnlineStore> {
  const answers = <T>(answer: Promise<unknown>) => answer as Promise<T>;
  return {
    capabilities: (await send("capabilities")) as StoreCapabilities,
    readMany: (keys, options) => answers(send("readMany", keys, options?.signal?.aborted === true)),
    write: (writes) => answers(send("write", writes)),
  };
}

function durableLog(send: Send): EventLogShard {
  const answers = <T>(answer: Promise<unknown>) => answer as Promise<T>;
  return {
    append: (entries, { redeliveryHorizonMs, ...options }) =>
      answers(send("append", entries, options, [...redeliveryHorizonMs])),
    read: (range) => answers(send("read", range)),
    seal: (seal) => answers(send("seal", seal)),
    currentEpoch: () => answers(send("currentEpoch")),
    epochs: (epochMin) => answers(send("epochs", epochMin)),
    appliedSeq: () => answers(send("appliedSeq")),
    setAppliedSeq: (seq) => answers(send("setAppliedSeq", seq)),
    trim: (epoch, options = {}) => answers(send("trim", epoch, options)),
    follow: (range) => answers(send("follow", range)),
    closeBefore: (source, beforeMs) => answers(send("closeBefore", source, beforeMs)),
    viewFloors: async (fingerprints) =>
      new Map((await send("viewFloors", fingerprints)) as [string, number][]),
  };
}
