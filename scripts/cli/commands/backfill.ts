/** `tilemark backfill`: loads files of history into the offline store, through the source's own map. */

import type { Command } from "commander";
import { openOfflineStore } from "../../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { LoadSummary } from "../../../src/offline/offline-store.ts";
import { loadFeatures, sourceNamed } from "../load-features.ts";
import { parseBytes } from "../parse-bytes.ts";
import { count, ProgressLine } from "../progress.ts";

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
        console.log(options.json === true ? summaryJson(summary) : summaryText(summary));
      } finally {
        await offline.close();
      }
    });
}

/** `read N, loaded N, skipped N`, and a line for each reason. */
export function summaryText(summary: LoadSummary): string {
  const skipped = summary.read - summary.loaded;
  const lines = [
    `read ${count(summary.read)}, loaded ${count(summary.loaded)}, skipped ${count(skipped)}`,
  ];
  const reasons = [...summary.skipped].sort(([, a], [, b]) => b - a);
  for (const [reason, rows] of reasons) lines.push(`  skipped ${count(rows)}: ${reason}`);
  if (summary.repeated) lines.push("  these files had been loaded before: nothing was changed");
  return lines.join("\n");
}

function summaryJson(summary: LoadSummary): string {
  return JSON.stringify({ ...summary, skipped: Object.fromEntries(summary.skipped) });
}
