/** `tilemark backfill`: loads files of history into the offline store, through the source's own map. */

import type { Command } from "commander";
import { openOfflineStore } from "../../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { loadFeatures, sourceNamed } from "../load-features.ts";
import { parseBytes } from "../parse-bytes.ts";
import { ProgressLine } from "../progress.ts";
import { isInVain, tallyJson, tallyText } from "../tally-text.ts";

interface BackfillOptions {
  readonly features: string;
  readonly offline: string;
  readonly memory: string;
  readonly json?: boolean;
}

export function addBackfillCommand(program: Command): void {
  program
    .command("backfill")
    .description("load CSV, JSON lines or Parquet files into the offline store of a source")
    .argument("<source>", "name of the source")
    .argument("<files...>", "files, or folders of them")
    .requiredOption("--features <file>", "the module that exports the definitions")
    .option("--offline <directory>", "the offline store", ".tilemark/offline")
    .option("--memory <size>", "memory that the engine may use", "1GB")
    .option("--json", "print one JSON object")
    .action(async (sourceName: string, files: string[], options: BackfillOptions) => {
      const repository = await loadFeatures(options.features);
      const offline = await openOfflineStore({
        directory: options.offline,
        memoryBytesMax: parseBytes(options.memory),
      });
      const line = new ProgressLine();
      try {
        const source = sourceNamed(repository, sourceName);
        const summary = await offline.load(source, files, {
          onProgress: ({ rows, bytes }) => {
            line.show({ label: `${sourceName} backfill`, rows, rowsTotal: 0, bytes });
          },
        });
        line.clear();
        console.log(options.json === true ? tallyJson(summary) : tallyText(summary));
        if (isInVain(summary)) process.exitCode = 1;
        if (summary.repeated) console.error("These files had been loaded before: nothing changed");
      } finally {
        await offline.close();
      }
    });
}
