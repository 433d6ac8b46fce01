/** Reads corrections of a source's events: all of them, or none where one is wrong. */

import { readRows } from "../../adapters/engines/duckdb/read-rows.ts";
import type { PlacedRow } from "../../adapters/engines/duckdb/text-rows.ts";
import { FeatureError } from "../../src/core/errors.ts";
import type { SourceDefinition, SourceEvent } from "../../src/define/definition.ts";
import { readEvent, refusalReason } from "../../src/define/read-event.ts";
import { readId, ScalarError } from "../../src/define/read-scalar.ts";
import type { Correction } from "../../src/offline/offline-store.ts";

export interface CorrectionsRequest {
  readonly source: SourceDefinition;
  /** Files of events as they should have been. */
  readonly files: readonly string[];
  /** Of events that should not have been. */
  readonly removedIds: readonly string[];
}

/** They are held in memory until they are put at once. */
const correctionsMax = 1_000_000;

/** Wrong rows that an error lists. */
const problemsListedMax = 20;

/**
 * Rows go through the source's own map and filter. A row that the filter drops is wrong here: whether
 * its event should not have been is for `removedIds` to say.
 *
 * @throws an error that lists what is wrong, row by row.
 */
export async function readCorrections(
  { source, files, removedIds }: CorrectionsRequest,
  options: { readonly memoryBytesMax: number; readonly onRead?: (rows: number) => void },
): Promise<readonly Correction[]> {
  const prefix = `Cannot heal source "${source.name}"`;
  if (source.id === null) {
    throw new Error(`${prefix}: it declares no event id, expected one to tell events by`);
  }
  if (files.length === 0 && removedIds.length === 0) {
    throw new Error(`${prefix}: nothing says what to correct, give files or --remove`);
  }
  const found = new Corrections();
  for (const id of removedIds) {
    const where = `--remove ${JSON.stringify(id.slice(0, 64))}`;
    found.add(where, { id, event: null, problem: removalProblem(id) });
  }
  for await (const rows of files.length === 0 ? [] : readRows(files, options)) {
    for (const row of rows) addRow(found, source, row);
    options.onRead?.(found.count);
    if (found.count > correctionsMax) {
      throw new Error(`${prefix}: it takes at most ${correctionsMax} corrections, split the files`);
    }
  }
  found.check(prefix);
  return found.list;
}

function addRow(found: Corrections, source: SourceDefinition, row: PlacedRow): void {
  const read = readRow(source, row);
  const where = `row ${row.place.row} of "${row.place.file}"`;
  found.add(where, { id: read.event?.id ?? "", ...read });
}

interface ReadRow {
  readonly event: SourceEvent | null;
  readonly problem: string | null;
}

function readRow(source: SourceDefinition, { row, problem, place }: PlacedRow): ReadRow {
  if (problem !== null) return { event: null, problem };
  try {
    const result = readEvent(source, row, place);
    if (result.kind === "event") return { event: result.event, problem: null };
    const dropped = `the filter of its source drops it (${result.reason}), remove an event with --remove`;
    return { event: null, problem: dropped };
  } catch (error) {
    if (!(error instanceof FeatureError) || error.code !== "INVALID_RECORD") throw error;
    return { event: null, problem: refusalReason(error, place) };
  }
}

function removalProblem(id: string): string | null {
  try {
    readId(id);
    return null;
  } catch (error) {
    if (!(error instanceof ScalarError)) throw error;
    return `the event id ${error.reason}`;
  }
}

class Corrections {
  readonly list: Correction[] = [];
  readonly #ids = new Set<string>();
  readonly #problems: string[] = [];
  #problemCount = 0;
  count = 0;

  add(where: string, { id, event, problem }: ReadRow & { readonly id: string }): void {
    this.count++;
    if (problem !== null) this.#addProblem(`${where}: ${problem}`);
    else if (this.#ids.has(id)) {
      // Rows of a Parquet file come in any order, so none of them is the last.
      this.#addProblem(`${where}: its event is corrected more than once`);
    } else {
      this.#ids.add(id);
      this.list.push({ id, event });
    }
  }

  /** @throws where anything is wrong. */
  check(prefix: string): void {
    if (this.#problemCount === 0) return;
    const head = `${prefix}: ${this.#problemCount} of ${this.count} corrections are wrong, nothing was put`;
    const rest = this.#problemCount - this.#problems.length;
    const more = rest === 0 ? [] : [`and ${rest} more`];
    throw new Error([head, ...this.#problems, ...more].join("\n  "));
  }

  #addProblem(problem: string): void {
    this.#problemCount++;
    if (this.#problems.length < problemsListedMax) this.#problems.push(problem);
  }
}
