/** `tilemark get`: asks a running server for a feature vector and prints it a feature a line. */

import type { Command } from "commander";
import { addAskOptions, askFeatures } from "../ask-features.ts";
import type { AskOptions } from "../ask-features.ts";
import { vectorLines } from "../vector-lines.ts";
import type { FeatureVector } from "../vector-lines.ts";

interface GetOptions extends AskOptions {
  readonly json?: boolean;
}

export function addGetCommand(program: Command): void {
  addAskOptions(program.command("get"))
    .description("get a feature vector from a running server")
    .option("--json", "print the answer as it came")
    .action(async (service: string, options: GetOptions) => {
      const metadataOptions = {
        includeNames: true,
        includeEffectiveTimes: true,
        includeServingStatus: true,
        // What prints the answer as it came asks for what it always has.
        ...(options.json !== true && { includeDetails: true }),
      };
      const answer = await askFeatures<FeatureVector>(service, options, { metadataOptions });
      if (options.json === true) console.log(JSON.stringify(answer));
      else for (const line of vectorLines(answer)) console.log(line);
    });
}
