/** The entities of segments, also of rows that a purge has taken out of them. */

import type { Scalar } from "../../../src/core/value.ts";
import type { ViewDefinition } from "../../../src/define/definition.ts";
import { entityKey } from "../../../src/tile/keys.ts";
import { deletionsIn } from "./clean-rows.ts";
import { allTime, listDayFiles } from "./layout.ts";
import type { EpochRange } from "./layout.ts";
import { streamPurged } from "./published.ts";
import { columnsReader } from "./read-columns.ts";
import { selectSegmentKeys } from "./rows-query.ts";
import type { StoreParts } from "./store-parts.ts";

/** Those of epochs in a range. */
export async function* streamSegmentEntities(
  parts: StoreParts,
  view: ViewDefinition,
  epochs: EpochRange,
): AsyncGenerator<readonly string[], void, undefined> {
  yield* streamPurged(parts, view, epochs);
  const segments = await parts.layout.listSegments(view.source.name, epochs);
  const files = await listDayFiles(segments, allTime);
  if (files.length === 0) return;
  const deletions = await deletionsIn(parts, view.source, segments);
  const keys = columnsReader(view.joinKeys.map(({ type }, i) => ({ name: `k${i}`, type })));
  const entities = selectSegmentKeys(view.joinKeys, { files, deletions });
  yield* parts.engine.stream(`SELECT ${keys.sql.join(", ")} FROM (${entities})`, (chunk) => {
    const columns = keys.read(chunk, 0) as readonly (readonly Scalar[])[];
    return Array.from({ length: chunk.rowCount }, (_, row) =>
      entityKey(columns.map((column) => column[row] as Scalar)),
    );
  });
}
