/** `tilemark heal`: says what events should have been, or that they should not have been. */

import type { Command } from "commander";
import { openOfflineStore } from "../../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { loadFeatures, sourceNamed } from "../load-features.ts";
import { parseBytes } from "../parse-bytes.ts";
import { count, ProgressLine } from "../progress.ts";
import { readCorrections } from "../read-corrections.ts";

interface HealOptions {
  readonly features: string;
  readonly offline: string;
  readonly memory: string;
  readonly remove: readonly string[];
  readonly json?: boolean;
}

export function addHealCommand(program: Command): void {
  program
    .command("heal")
    .description("correct events of a source by their ids: the next compaction goes by them")
    .argument("<source>", "name of the source, which declares an event id")
    .argument("[files...]", "CSV, JSON lines or Parquet: events as they should have been")
    .requiredOption("--features <file>", "the module that exports the definitions")
    .option("--remove <id>", "an event that should not have been; may be repeated", also, [])
    .option("--offline <directory>", "the offline store", ".tilemark/offline")
    .option("--memory <size>", "memory that the engine may use", "1GB")
    .option("--json", "print one JSON object")
    .action(async (sourceName: string, files: string[], options: HealOptions) => {
      const source = sourceNamed(await loadFeatures(options.features), sourceName);
      const memoryBytesMax = parseBytes(options.memory);
      const line = new ProgressLine();
      const corrections = await readCorrections(
        { source, files, removedIds: options.remove },
        {
          memoryBytesMax,
          onRead: (rows) => {
            line.show({ label: `${sourceName} heal`, rows, rowsTotal: 0 });
          },
        },
      ).finally(() => {
        line.clear();
      });
      const offline = await openOfflineStore({ directory: options.offline, memoryBytesMax });
      try {
        await offline.putCorrections(source, corrections);
      } finally {
        await offline.close();
      }
      const removed = corrections.filter(({ event }) => event === null).length;
      const tally = { corrected: corrections.length - removed, removed };
      console.log(options.json === true ? JSON.stringify(tally) : tallyText(tally));
    });
}

function tallyText(tally: { readonly corrected: number; readonly removed: number }): string {
  return `${count(tally.corrected)} corrections, ${count(tally.removed)} removals: where their ids are, they win with the next compaction`;
}

/** One id an option, so that a file after it is not taken for another. */
function also(id: string, before: readonly string[]): readonly string[] {
  return [...before, id];
}
