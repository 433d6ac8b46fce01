/** `tilemark dev`: serves a feature repository in workerd until it is stopped. */

import type { Command } from "commander";
import { startDevServer } from "../dev-server.ts";
import { loadFeatures } from "../load-features.ts";

interface DevOptions {
  readonly features: string;
  readonly state: string;
  readonly port?: string;
  readonly testClock?: boolean;
}

export function addDevCommand(program: Command): void {
  program
    .command("dev")
    .description("serve a feature repository in workerd on this machine")
    .requiredOption("--features <file>", "the module that exports the definitions")
    .option("--state <directory>", "where the stores keep their files", ".tilemark/dev")
    .option("--port <number>", "port on 127.0.0.1; PORT, else a free one")
    .option("--test-clock", "let requests carry their own time in x-tilemark-now")
    .action(async (options: DevOptions) => {
      await loadFeatures(options.features);
      const server = await startDevServer({
        featuresFile: options.features,
        stateDirectory: options.state,
        port: Number(options.port ?? process.env["PORT"] ?? 0),
        testClock: options.testClock ?? false,
      });
      console.log(`Listening on ${server.url}`);
      await untilStopped();
      await server.close();
    });
}

/** Resolves on the first signal to stop. */
export function untilStopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => {
      resolve();
    });
    process.once("SIGTERM", () => {
      resolve();
    });
  });
}
