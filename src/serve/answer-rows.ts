/** The answers of many rows of a service, all read in one round. */

import { batchKey } from "../tile/keys.ts";
import { readViews } from "./read-views.ts";
import type { ReadRequest, ServingHomes, ViewRead } from "./read-views.ts";
import type { ReadCost, ViewAnswer } from "./view-answer.ts";

export interface RowsRead {
  /** In the order of the rows, and in each in the order of its reads. */
  readonly rows: readonly (readonly ViewAnswer[])[];
  readonly cost: ReadCost;
}

/**
 * Rows that share an entity of a view share its answer: it is read and combined once.
 *
 * @throws FeatureError STORE_UNAVAILABLE when a store fails.
 */
export async function readRows(
  homes: ServingHomes,
  rows: readonly (readonly ViewRead[])[],
  request: ReadRequest,
): Promise<RowsRead> {
  const reads = new Map<string, ViewRead>();
  const names = rows.map((row) =>
    row.map((read) => {
      const name = nameOf(read);
      reads.set(name, read);
      return name;
    }),
  );
  const { answers, cost } = await readViews(homes, [...reads.values()], request);
  const answerOf = new Map([...reads.keys()].map((name, i) => [name, answers[i] as ViewAnswer]));
  return { rows: names.map((row) => row.map((name) => answerOf.get(name) as ViewAnswer)), cost };
}

function nameOf({ view, entity }: ViewRead): string {
  return entity === null ? `nobody in ${view.name}` : batchKey(view, entity);
}
