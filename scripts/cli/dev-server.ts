/** Runs a feature repository in workerd on this machine, its state on disk. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Log, LogLevel, Miniflare } from "miniflare";
import { bundleWorker } from "./bundle-worker.ts";

/** The newest date that the workerd of this package knows. */
export const compatibilityDate = "2026-07-30";

export interface DevServerOptions {
  readonly featuresFile: string;
  /** The text of the worker's module where it is not the bundle of the feature file. */
  readonly script?: string;
  /** More bindings for such a module. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** Where Workers KV and the Durable Objects keep their files. */
  readonly stateDirectory: string;
  /** 0 or left out: a free one. */
  readonly port?: number;
  readonly streamShards?: number;
  readonly logShards?: number;
  /** Requests may carry their own `now`: for tests. */
  readonly testClock?: boolean;
  /** Added to the clock, in milliseconds: to serve windows over old events. */
  readonly clockOffsetMs?: number;
}

export interface DevServer {
  /** Without a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** Resolves when the server answers. Listens on 127.0.0.1 alone, and needs no network. */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { stateDirectory } = options;
  await mkdir(stateDirectory, { recursive: true });
  const script = options.script ?? (await bundleWorker(options.featuresFile));
  const miniflare = new Miniflare({
    modules: true,
    script,
    compatibilityDate,
    host: "127.0.0.1",
    port: options.port ?? 0,
    cf: false,
    log: new Log(LogLevel.ERROR),
    kvNamespaces: ["BATCH"],
    kvPersist: join(stateDirectory, "kv"),
    durableObjects: {
      LOG_SHARDS: { className: "LogShard", useSQLite: true },
      STREAM_SHARDS: { className: "StreamShard", useSQLite: true },
      PUBLISHER: { className: "PublisherShard", useSQLite: true },
    },
    durableObjectsPersist: join(stateDirectory, "durable-objects"),
    bindings: bindingsOf(options),
  });
  const url = (await miniflare.ready).href.replace(/\/$/, "");
  await repairLogs(url);
  return { url, close: () => miniflare.dispose() };
}

function bindingsOf(options: DevServerOptions): Record<string, string> {
  const bindings: Record<string, string> = { ...options.bindings };
  if (options.streamShards !== undefined)
    bindings["TILEMARK_STREAM_SHARDS"] = String(options.streamShards);
  if (options.logShards !== undefined) bindings["TILEMARK_LOG_SHARDS"] = String(options.logShards);
  if (options.testClock === true) bindings["TILEMARK_TEST_CLOCK"] = "1";
  if (options.clockOffsetMs !== undefined) {
    bindings["TILEMARK_CLOCK_OFFSET_MS"] = String(options.clockOffsetMs);
  }
  return bindings;
}

/** Rows that a crash left between the log and the stream records are applied before anything else. */
async function repairLogs(url: string): Promise<void> {
  const response = await fetch(`${url}/admin/repair`, { method: "POST" });
  if (!response.ok) {
    throw new Error(`Cannot start the server: repairing its logs answered ${response.status}`);
  }
}
