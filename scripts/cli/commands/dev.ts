/** `tilemark dev`: serves a feature repository in workerd until it is stopped. */

import type { Command } from "commander";
import { startDevServer } from "../dev-server.ts";
import { loadFeatures } from "../load-features.ts";
import { parsePort } from "../parse-port.ts";
import { serveUntilStopped } from "../until-stopped.ts";

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
      const port = parsePort(options.port, process.env["PORT"]);
      await loadFeatures(options.features);
      const server = await startDevServer({
        featuresFile: options.features,
        stateDirectory: options.state,
        port,
        testClock: options.testClock ?? false,
      });
      console.log(`Listening on ${server.url}`);
      await serveUntilStopped(server);
    });
}
