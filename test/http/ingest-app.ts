/** The ingest route alone, over log shards in memory whose calls can be made to fail. */

import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import { hostClock } from "../../adapters/host-clock.ts";
import { HomeAccess } from "../../src/access/home-access.ts";
import { Publisher } from "../../src/compact/publisher.ts";
import { FeatureError } from "../../src/core/errors.ts";
import { accessOf } from "../../src/http/access.ts";
import { ingestRoute } from "../../src/http/ingest-route.ts";
import { observeRequests } from "../../src/http/observe-requests.ts";
import { requestClock } from "../../src/http/request-clock.ts";
import type { HttpEnv } from "../../src/http/request-clock.ts";
import type { Workspace } from "../../src/http/workspace.ts";
import type { LogAccess } from "../../src/ingest/log-home.ts";
import type { LogRow } from "../../src/store/event-log.ts";
import { ShardedStreams } from "../../src/ingest/sharded-streams.ts";
import { MemoryEventLog } from "../../src/store/memory-event-log.ts";
import { MemoryStateTable } from "../../src/store/memory-state-table.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { Observation } from "../../src/observe/observation.ts";
import { testOrigin } from "../builders/app.ts";
import { repository } from "./features.ts";

/** Where a call to append fails: before it is carried out, or with its answer lost. */
export interface Fault {
  /** Counted from 0 over the appends of all shards. */
  readonly append: number;
  readonly when: "before" | "after";
}

export interface SentIngest {
  readonly records: object;
  readonly partitions?: object;
  readonly dry_run?: boolean;
  readonly key?: string;
}

export interface IngestAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Of the one source in the request, appended and duplicate records; null where it was refused. */
  readonly counts: readonly [appended: number, duplicates: number] | null;
  /** What it was refused for. */
  readonly error: { readonly errorType: string; readonly errorMessage: string } | null;
}

export class IngestApp {
  readonly clock: { nowMs: number };
  readonly #logs: readonly MemoryEventLog[];
  readonly #app: Hono<HttpEnv>;
  #fault: Fault | null = null;
  #appendCount = 0;

  constructor({ nowMs, shardCount }: { readonly nowMs: number; readonly shardCount: number }) {
    this.clock = { nowMs };
    this.#logs = Array.from({ length: shardCount }, () => new MemoryEventLog());
    const shards = this.#logs.map((log, i) => this.#accessTo(log, `main-${i}`));
    const clock = { ...hostClock(), now: () => this.clock.nowMs };
    const workspaces = new Map([["prod", workspaceOver(shards)]]);
    const observation = new Observation({ clock, random: () => 0 });
    const access = accessOf({ workspaces, clock, access: "loopback" });
    this.#app = new Hono<HttpEnv>()
      .use(
        observeRequests(observation),
        access.middleware,
        requestClock({ clock, testClock: false }),
      )
      .route("/", ingestRoute({ workspaces, report: () => undefined }));
  }

  /** How many appends there have been, on all shards. */
  get appendCount(): number {
    return this.#appendCount;
  }

  /** Makes one append fail, counted from the next one. */
  failAppend({ append, when }: Fault): void {
    this.#fault = { append: this.#appendCount + append, when };
  }

  async send({ key, dry_run = false, ...fields }: SentIngest): Promise<IngestAnswer> {
    const response = await this.#app.request(`${testOrigin}/ingest`, {
      method: "POST",
      body: JSON.stringify({ workspace_name: "prod", dry_run, ...fields }),
      headers: key === undefined ? {} : { "idempotency-key": key },
    });
    const body = (await response.json()) as AnswerBody;
    const [metrics] = body.ingestMetrics?.dataSourceIngestMetrics ?? [];
    const { offlineRecordIngestCount, duplicateRecordCount = "0" } = metrics ?? {};
    const error = body.requestError ?? body.recordErrors?.[0] ?? null;
    return {
      status: response.status,
      body,
      counts: metrics ? [Number(offlineRecordIngestCount), Number(duplicateRecordCount)] : null,
      error: error && { errorType: error.errorType, errorMessage: error.errorMessage },
    };
  }

  /** The rows of each shard. */
  async rows(): Promise<(readonly LogRow[])[]> {
    const all = { afterSeq: 0, epochMax: Infinity, rowsMax: 1_000_000 };
    return Promise.all(this.#logs.map((log) => log.read(all)));
  }

  async rowCount(): Promise<number> {
    return (await this.rows()).flat().length;
  }

  #accessTo(log: MemoryEventLog, shard: string): LogAccess {
    return {
      shard,
      append: async (entries, options) => {
        const fault = this.#fault?.append === this.#appendCount ? this.#fault : null;
        this.#appendCount += 1;
        if (fault?.when === "before") throw unreachable();
        const result = await log.append(entries, options);
        if (fault?.when === "after") throw unreachable();
        return result;
      },
      seal: (seal) => log.seal(seal),
      closeBefore: (source, beforeMs) => log.closeBefore(source, beforeMs),
      repair: () => Promise.resolve(),
      read: (range) => log.read(range),
      trim: ({ epoch }) => log.trim(epoch),
      follow: () => Promise.reject(unreachable()),
    };
  }
}

interface AnswerBody {
  readonly ingestMetrics?: {
    readonly dataSourceIngestMetrics: readonly Readonly<Record<string, string>>[];
  };
  readonly requestError?: IngestAnswer["error"];
  readonly recordErrors?: readonly { readonly errorType: string; readonly errorMessage: string }[];
}

function unreachable(): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", "Cannot call the log shard: the call failed", {
    retryable: true,
  });
}

function workspaceOver(shards: readonly LogAccess[]): Workspace {
  const batchStore = new MemoryStore();
  const logShards = () => shards;
  const streams = new ShardedStreams([]);
  const state = new MemoryStateTable();
  const publisher = new Publisher({ repository, batchStore, streams, logShards, state });
  const homes = { batch: batchStore, streams: [] };
  const access = new HomeAccess({ state, randomBytes, configuration: "test" });
  const home = { logs: ["main"], logShards, publisher, access };
  return { name: "prod", repository, homes, home };
}
