/** Validates a stream view's history: a batch source that holds what the stream held before. */

import { DefinitionError } from "../core/errors.ts";
import { ceilTo } from "../core/instant.ts";
import { checkDefinition } from "./brand.ts";
import type { Column, SourceDefinition, ViewDefinition } from "./definition.ts";

/** How many watermarks may follow one another between two compactions. */
const watermarksPerCompaction = 24;
const watermarkStepMsMin = 60_000;

type HistoryFields = Pick<ViewDefinition, "history" | "watermarkStepMs">;

/** @throws DefinitionError naming the column that is missing or of another type. */
export function readHistory(
  history: unknown,
  scope: {
    readonly prefix: string;
    readonly kind: ViewDefinition["kind"];
    readonly source: SourceDefinition;
    readonly columns: readonly Column[];
    readonly intervalMs: number;
    readonly compactionEveryMs: number;
  },
): HistoryFields {
  if (history === undefined) return { history: null, watermarkStepMs: 0 };
  const { prefix, source, columns } = scope;
  if (scope.kind === "batchView") {
    throw new DefinitionError(
      `${prefix}: it has a history, which only a stream view can have, leave it out and name it as the source`,
    );
  }
  checkDefinition(history, { prefix, name: "history", kinds: ["batchSource"] });
  const archive = history as SourceDefinition;
  for (const column of columns) checkColumn(`${prefix}: column "${column.name}"`, column, archive);
  if (source.id !== null && archive.id === null) {
    throw new DefinitionError(
      `${prefix}: source "${source.name}" declares an id and history "${archive.name}" does not, declare it there too`,
    );
  }
  const everyMs = Math.max(scope.compactionEveryMs / watermarksPerCompaction, watermarkStepMsMin);
  return { history: archive, watermarkStepMs: ceilTo(Math.ceil(everyMs), scope.intervalMs || 1) };
}

function checkColumn(prefix: string, column: Column, history: SourceDefinition): void {
  const found = history.columns.find(({ name }) => name === column.name);
  if (found === undefined) {
    throw new DefinitionError(
      `${prefix} is not a column of history "${history.name}", add it there with type "${column.type}"`,
    );
  }
  if (found.type !== column.type) {
    throw new DefinitionError(
      `${prefix} has type "${column.type}" and in history "${history.name}" type "${found.type}", make them the same`,
    );
  }
}
