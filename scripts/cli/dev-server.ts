/** Runs a feature repository in workerd on this machine, its state on disk. */

import { EventEmitter, once } from "node:events";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { Log, LogLevel, Miniflare } from "miniflare";
import { keyHeaders } from "../../adapters/admin/call-admin.ts";
import { sha256Hex } from "../../src/access/sha256.ts";
import { bundleWorker, lazyModules } from "./bundle-worker.ts";

/** The newest date that the workerd of this package knows. */
export const compatibilityDate = "2026-07-30";

export interface DevServerOptions {
  readonly featuresFile: string;
  /** The text of the worker's module where it is not the bundle of the feature file. */
  readonly script?: string;
  /** By its name the text of each module that such a module imports. */
  readonly modules?: Readonly<Record<string, string>>;
  /** More bindings for such a module. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** The key that requests carry, who may do everything with it; left out, access is by loopback. */
  readonly adminKey?: string;
  /** The home that the worker follows, as a region of it; left out, it is the home. */
  readonly home?: string;
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
  /** Where what workerd prints goes; this process's own output if left out. */
  readonly output?: NodeJS.WritableStream;
}

export interface DevServer {
  /** Without a slash at its end. */
  readonly url: string;
  /** Resolves when workerd ended by itself. Miniflare starts another one then, whose logs are not repaired. */
  readonly died: Promise<void>;
  close(): Promise<void>;
}

/**
 * Resolves when the server answers. Listens on 127.0.0.1 alone, and needs no network.
 *
 * @throws an error that says why it cannot listen, such as a port that is taken.
 */
export async function startDevServer(options: DevServerOptions): Promise<DevServer> {
  const { stateDirectory } = options;
  await mkdir(stateDirectory, { recursive: true });
  const modules = await modulesOf(options);
  const output = new HeldOutput();
  const end = new EventEmitter();
  const died = once(end, "end").then(() => undefined);
  const miniflare = new Miniflare({
    // Given whole: Miniflare would parse the script for imports otherwise.
    modules: Object.entries(modules).map(([path, contents]) => {
      return { type: "ESModule", path, contents };
    }),
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
      ...(options.home !== undefined && {
        REGION_SHARD: { className: "RegionShard", useSQLite: true },
      }),
    },
    durableObjectsPersist: join(stateDirectory, "durable-objects"),
    bindings: await bindingsOf(options),
    handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
      output.hold(stdout, options.output ?? process.stdout);
      output.hold(stderr, options.output ?? process.stderr);
      stderr.once("end", () => {
        end.emit("end");
      });
    },
  });
  const url = await whenReady(miniflare, options.port ?? 0);
  output.release();
  try {
    if (options.home === undefined) await repairLogs(url, options.adminKey);
  } catch (cause) {
    await miniflare.dispose();
    throw cause;
  }
  return { url, died, close: () => miniflare.dispose() };
}

/** The worker's first. */
async function modulesOf(options: DevServerOptions): Promise<Readonly<Record<string, string>>> {
  const { featuresFile, script, modules } = options;
  if (script !== undefined) return { "worker.mjs": script, ...modules };
  const [bundled, lazy] = await Promise.all([
    bundleWorker(featuresFile, { lazyParts: true }),
    lazyModules(),
  ]);
  return { "worker.mjs": bundled, ...lazy };
}

async function whenReady(miniflare: Miniflare, port: number): Promise<string> {
  try {
    return (await miniflare.ready).href.replace(/\/$/, "");
  } catch (cause) {
    // It throws once more what `ready` did.
    await Promise.allSettled([miniflare.dispose()]);
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === "ERR_ADDRESS_IN_USE") {
      throw new Error(`Cannot listen on port ${port}: it is in use, choose another with --port`, {
        cause,
      });
    }
    throw new Error(`Cannot start the server: ${message}`, { cause });
  }
}

/** What workerd prints: kept back until it has started, since a failed start is told by its error. */
class HeldOutput {
  #released = false;
  readonly #held: (() => void)[] = [];

  hold(from: Readable, to: NodeJS.WritableStream): void {
    from.on("data", (chunk: Buffer) => {
      const write = () => {
        to.write(chunk);
      };
      if (this.#released) write();
      else this.#held.push(write);
    });
  }

  release(): void {
    this.#released = true;
    for (const write of this.#held.splice(0)) write();
  }
}

async function bindingsOf(options: DevServerOptions): Promise<Record<string, string>> {
  // Who develops a transform is told what it threw.
  const bindings: Record<string, string> = { TILEMARK_ERROR_TEXT: "1", ...options.bindings };
  if (options.streamShards !== undefined)
    bindings["TILEMARK_STREAM_SHARDS"] = String(options.streamShards);
  if (options.logShards !== undefined) bindings["TILEMARK_LOG_SHARDS"] = String(options.logShards);
  if (options.home !== undefined) bindings["TILEMARK_HOME"] = options.home;
  if (options.adminKey !== undefined) {
    bindings["TILEMARK_ACCESS"] = "keys";
    bindings["TILEMARK_ADMIN_KEY_SHA256"] = await sha256Hex(options.adminKey);
  }
  if (options.testClock === true) bindings["TILEMARK_TEST_CLOCK"] = "1";
  if (options.clockOffsetMs !== undefined) {
    bindings["TILEMARK_CLOCK_OFFSET_MS"] = String(options.clockOffsetMs);
  }
  return bindings;
}

/** Rows that a crash left between the log and the stream records are applied before anything else. */
async function repairLogs(url: string, key: string | undefined): Promise<void> {
  const init = { method: "POST", headers: keyHeaders(key) };
  const response = await fetch(`${url}/admin/repair`, init);
  if (!response.ok) {
    throw new Error(`Cannot start the server: repairing its logs answered ${response.status}`);
  }
}
