/** `tilemark dev`: serves a feature repository in workerd until it is stopped. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { lockDirectory } from "../../../adapters/runtimes/server/lock-directory.ts";
import { openNodeSqlite } from "../../../adapters/stores/node-sqlite-handle.ts";
import { developmentKey, developmentKeyFile } from "../api-key.ts";
import { bundleWorker, lazyModules } from "../bundle-worker.ts";
import { startDevServer } from "../dev-server.ts";
import type { DevServerOptions } from "../dev-server.ts";
import { loadFeatures } from "../load-features.ts";
import { startLocalUpstash } from "../local-upstash.ts";
import { parsePort } from "../parse-port.ts";
import { serveUntilStopped } from "../until-stopped.ts";

interface DevOptions {
  readonly features: string;
  readonly state: string;
  readonly port?: string;
  readonly testClock?: boolean;
  readonly upstash?: boolean;
  readonly redis?: string;
  readonly keys: boolean;
}

export function addDevCommand(program: Command): void {
  program
    .command("dev")
    .description("serve a feature repository in workerd on this machine")
    .requiredOption("--features <file>", "the module that exports the definitions")
    .option("--state <directory>", "where the stores keep their files", ".tilemark/dev")
    .option("--port <number>", "port on 127.0.0.1; PORT, else a free one")
    .option("--test-clock", "let requests carry their own time in x-tilemark-now")
    .option("--upstash", "keep records in Upstash Redis: a bridge to a Redis on this machine")
    .option("--redis <url>", "the Redis behind --upstash, of this state alone; else one is started")
    .option("--no-keys", "answer whoever asks on this machine, without a key")
    .action(async (options: DevOptions) => {
      if (options.redis !== undefined && options.upstash !== true) {
        throw new Error(
          "Cannot use --redis: records are kept elsewhere, expected --upstash with it",
        );
      }
      const port = parsePort(options.port, process.env["PORT"]);
      await loadFeatures(options.features);
      await mkdir(options.state, { recursive: true });
      // Until this process ends.
      lockDirectory(options.state, openNodeSqlite);
      const server = {
        featuresFile: options.features,
        stateDirectory: options.state,
        port,
        testClock: options.testClock ?? false,
        ...(options.keys && { adminKey: developmentKey() }),
      };
      if (options.upstash === true) await serveUpstash(server, options.redis);
      else await serve(server);
    });
}

async function serve(options: DevServerOptions): Promise<void> {
  const server = await startDevServer(options);
  announce(server.url, options);
  await serveUntilStopped(server);
}

async function serveUpstash(options: DevServerOptions, redisUrl?: string): Promise<void> {
  // The log of a state says what its records have: one that was served without Redis is another.
  const stateDirectory = join(options.stateDirectory, "upstash");
  const upstash = await startLocalUpstash({
    directory: join(stateDirectory, "redis"),
    ...(redisUrl !== undefined && { redisUrl }),
  });
  try {
    for (const [name, value] of Object.entries(upstash.variables)) console.log(`${name}=${value}`);
    const server = await startDevServer({
      ...options,
      stateDirectory,
      script: await bundleWorker(options.featuresFile, { stores: "upstash", lazyParts: true }),
      modules: await lazyModules(),
      bindings: upstash.variables,
    });
    announce(server.url, options);
    const served = serveUntilStopped(server).then(() => "stopped");
    if ((await Promise.race([served, upstash.died.then(() => "died")])) === "died") {
      await server.close();
      throw new Error("Cannot go on serving: redis-server has ended, start the command again");
    }
  } finally {
    await upstash.close();
  }
}

function announce(url: string, { adminKey }: DevServerOptions): void {
  console.log(`Listening on ${url}`);
  if (adminKey === undefined) return;
  console.log(`Requests need -H "Authorization: Tecton-key $(cat ${developmentKeyFile})"`);
}
