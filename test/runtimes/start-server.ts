/** Starts the suite's server, as a process of a runtime or as a worker in workerd. */

import { fileURLToPath } from "node:url";
import type { ServerOptions } from "../../adapters/runtimes/server/create-server.ts";
import { bundleEntry } from "../../scripts/cli/bundle-worker.ts";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import { startRuntime } from "../builders/runtime-process.ts";
import type { Runtime } from "../builders/runtime-process.ts";

export type ServedRuntime = Runtime | "workerd";

export interface ServerRequest extends Pick<
  ServerOptions,
  "directory" | "testClock" | "clockOffsetMs"
> {
  readonly store: string;
  readonly address: string;
}

export interface StartedServer {
  readonly url: string;
  /** Ends it as it ends when it is asked to. */
  stop(): Promise<void>;
  /** Ends it as a crash would, where a runtime has such an end. */
  kill(): Promise<void>;
}

const startMsMax = 20_000;

export function startServer(
  runtime: ServedRuntime,
  request: ServerRequest,
): Promise<StartedServer> {
  return runtime === "workerd" ? startWorker(request) : startProcess(runtime, request);
}

async function startProcess(runtime: Runtime, request: ServerRequest): Promise<StartedServer> {
  const file = import.meta.resolve("./server.ts");
  const server = await startRuntime(runtime, { file, values: [JSON.stringify(request)] });
  try {
    await server.written("Listening on ", startMsMax);
    const url = /^Listening on (http:\S+)$/m.exec(server.output().stdout)?.[1] as string;
    return {
      url,
      stop: async () => {
        await server.stop();
        const code = await server.ended;
        if (code !== 0) throw new Error(`The server ended with ${code}: ${server.output().stderr}`);
      },
      kill: async () => {
        server.signal("SIGKILL");
        await server.ended;
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function startWorker(request: ServerRequest): Promise<StartedServer> {
  const { store, address, directory, testClock = false, clockOffsetMs = 0 } = request;
  const entryFile = JSON.stringify(fileURLToPath(import.meta.resolve("./worker.ts")));
  const server = await startDevServer({
    featuresFile: fileURLToPath(import.meta.resolve("./features.ts")),
    script: await bundleEntry(`export * from ${entryFile};\nexport { default } from ${entryFile};`),
    bindings: { STORE: store, ADDRESS: address },
    stateDirectory: directory,
    testClock,
    clockOffsetMs,
  });
  return { url: server.url, stop: server.close, kill: server.close };
}
