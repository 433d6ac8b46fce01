/** `tilemark demo`, which is `npm start`: the demo shop in workerd, with events, ready for a request. */

import type { Command } from "commander";
import { runDemo } from "../../demo/run-demo.ts";
import { developmentKey } from "../api-key.ts";
import { parsePort } from "../parse-port.ts";
import { serveUntilStopped } from "../until-stopped.ts";

interface DemoOptions {
  readonly events?: string;
  readonly state: string;
  readonly port?: string;
  readonly keys: boolean;
}

export function addDemoCommand(program: Command): void {
  program
    .command("demo")
    .description("serve the demo shop with events of its own, or of a folder")
    .option("--events <path>", "a folder of files of events in place of generated ones")
    .option("--state <directory>", "where everything is kept", ".tilemark/demo")
    .option("--port <number>", "port on 127.0.0.1; PORT, else a free one")
    .option("--no-keys", "answer whoever asks on this machine, without a key")
    .action(async (options: DemoOptions) => {
      const demo = await runDemo({
        ...(options.events === undefined ? {} : { eventsPath: options.events }),
        ...(options.keys && { adminKey: developmentKey() }),
        stateDirectory: options.state,
        port: parsePort(options.port, process.env["PORT"]),
        print: (text) => {
          console.log(text);
        },
      });
      await serveUntilStopped(demo);
    });
}
