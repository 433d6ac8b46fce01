/** `tilemark explain`: what the values of a feature vector were made of, as a tree. */

import type { Command } from "commander";
import { addAskOptions, askFeatures } from "../ask-features.ts";
import type { AskOptions } from "../ask-features.ts";
import { explainLines } from "../explain-lines.ts";
import type { ExplainedVector } from "../explain-lines.ts";

interface ExplainOptions extends AskOptions {
  readonly json?: boolean;
  readonly cache: boolean;
}

export function addExplainCommand(program: Command): void {
  addAskOptions(program.command("explain"))
    .description("show what the values of a feature vector were made of")
    .option("--no-cache", "read the records, whatever the serving cache holds")
    .option("--json", "print the answer as it came")
    .action(async (service: string, options: ExplainOptions) => {
      const answer = await askFeatures<ExplainedVector>(service, options, {
        explain: true,
        metadataOptions: { includeNames: true, includeEffectiveTimes: true },
        requestOptions: { readFromCache: options.cache },
      });
      if (options.json === true) console.log(JSON.stringify(answer));
      else for (const line of explainLines(service, answer)) console.log(line);
    });
}
