/** The crash runs' server: workerd with a counted worker, its state on disk, killed by its own id. */

import { AsyncLocalStorage } from "node:async_hooks";
import type { ChildProcess } from "node:child_process";
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { basename } from "node:path";
import { Writable } from "node:stream";
import { bundleEntry } from "../cli/bundle-worker.ts";
import { startDevServer } from "../cli/dev-server.ts";
import { sendRequest } from "./send-request.ts";
import { stoppedMark } from "./stopped-mark.ts";
import type { StoredRecords } from "./stored-records.ts";

export interface CrashServer {
  readonly url: string;
  /** Resolves with what the worker said when it stopped; never before `countOperations` told it to. */
  readonly stopped: Promise<string>;
  /** Counts store operations from zero; the worker stops for good after the one of this number. */
  countOperations(stopAt?: number): Promise<void>;
  /** What was counted, in order. */
  countedOperations(): Promise<readonly string[]>;
  records(): Promise<StoredRecords>;
  /** The cut of each view's newest finished compaction. */
  finishedCuts(): Promise<Readonly<Record<string, number>>>;
  /** Ends workerd with SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

export interface CrashServerOptions {
  /** Of `bundleCrashWorker`. */
  readonly script: string;
  readonly stateDirectory: string;
  /** Where the server's own clock starts, for requests that bring none. */
  readonly nowMs: number;
}

const logShardCount = 2;
const streamShardCount = 2;

export function bundleCrashWorker(): Promise<string> {
  const file = JSON.stringify(new URL("crash-worker.ts", import.meta.url).pathname);
  // Miniflare copies the text several times at every start.
  return bundleEntry(`export * from ${file};\nexport { default } from ${file};`, { minify: true });
}

export async function startCrashServer(options: CrashServerOptions): Promise<CrashServer> {
  const output = new WorkerOutput();
  const children: ChildProcess[] = [];
  const server = await spawned.run(children, () =>
    startDevServer({
      featuresFile: "",
      script: options.script,
      stateDirectory: options.stateDirectory,
      logShards: logShardCount,
      streamShards: streamShardCount,
      testClock: true,
      clockOffsetMs: options.nowMs - Date.now(),
      output,
    }),
  );
  const workerd = children.find(({ spawnfile }) => basename(spawnfile).startsWith("workerd"));
  if (workerd === undefined) throw new Error("Cannot find workerd: the server started no process");
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await sendRequest(`${server.url}/crash/${path}`, init);
    if (response.ok) return (await response.json()) as unknown;
    throw new Error(`Cannot call the crash worker: it answered ${response.status} ${output.text}`);
  };
  return {
    url: server.url,
    stopped: output.stopped,
    countOperations: async (stopAt) => {
      const query = stopAt === undefined ? "" : `?stopAt=${stopAt}`;
      await call(`count${query}`, { method: "POST" });
    },
    countedOperations: async () => (await call("count")) as string[],
    records: async () => (await call("records")) as StoredRecords,
    finishedCuts: async () => (await call("cuts")) as Record<string, number>,
    kill: async () => {
      const isRunning = workerd.exitCode === null && workerd.signalCode === null;
      const exited = isRunning ? once(workerd, "exit") : Promise.resolve();
      workerd.kill("SIGKILL");
      // At once, before Miniflare sees the exit and starts another one on the same state.
      await Promise.all([server.close(), exited]);
    },
  };
}

/** What a start of a server spawned: Miniflare keeps workerd's handle to itself. */
const spawned = new AsyncLocalStorage<ChildProcess[]>();

subscribe("child_process", (message) => {
  spawned.getStore()?.push((message as { readonly process: ChildProcess }).process);
});

/** Holds what workerd printed, and watches for the line of its stop. */
class WorkerOutput extends Writable {
  readonly stopped: Promise<string>;
  #stop: (line: string) => void = () => undefined;
  #text = "";

  constructor() {
    super();
    this.stopped = new Promise((resolve) => (this.#stop = resolve));
  }

  get text(): string {
    return this.#text;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#text += chunk.toString("utf8");
    const line = this.#text.split("\n").find((each) => each.startsWith(stoppedMark));
    if (line !== undefined && this.#text.includes(`${line}\n`)) this.#stop(line);
    done();
  }
}
