/** The newest rows of a load, for the log shards to have them as they have those they were sent. */

import type { Scalar } from "../../../src/core/value.ts";
import type { SourceDefinition } from "../../../src/define/definition.ts";
import { writeSourceEvent } from "../../../src/ingest/source-event-codec.ts";
import type { LoadedRow, NewLoad } from "../../../src/offline/offline-store.ts";
import { deletionsIn } from "./clean-rows.ts";
import type { Chunk } from "./duckdb-engine.ts";
import { listDayFiles } from "./layout.ts";
import { isDistinctLoad } from "./loads.ts";
import { columnsReader, readInstants } from "./read-columns.ts";
import { findLoad } from "./registered-loads.ts";
import { selectColumns, selectEvents } from "./rows-query.ts";
import type { StoreParts } from "./store-parts.ts";

/** Each id once. @throws FeatureError NOT_FOUND where there is no such load. */
export async function* streamRecentRows(
  parts: StoreParts,
  load: NewLoad,
  fromMs: number,
): AsyncGenerator<readonly LoadedRow[], void, undefined> {
  const { source } = load;
  const directory = await findLoad(parts.layout, load);
  if (source.id === null) return;
  const files = await listDayFiles([directory], { fromMs, untilMs: Infinity });
  const deletions = await deletionsIn(parts, source, [directory]);
  const rows = selectEvents({ files, deletions }, selectColumns([], source.columns), true);
  const { selected, read } = planRead(source);
  // Of several rows of one id the first counts, as it does in a scan.
  const first = "QUALIFY row_number() OVER (PARTITION BY id ORDER BY place) = 1";
  yield* parts.engine.stream(
    `SELECT ${selected.join(", ")} FROM (${rows}) WHERE ${isFrom(fromMs)}
     ${(await isDistinctLoad(directory)) ? "" : first}`,
    read,
  );
}

interface ReadPlan {
  readonly selected: readonly string[];
  readonly read: (chunk: Chunk) => readonly LoadedRow[];
}

function planRead(source: SourceDefinition): ReadPlan {
  const values = columnsReader(source.columns.map(({ type }, i) => ({ name: `v${i}`, type })));
  const ids = columnsReader([{ name: "id", type: "string" }]);
  return {
    selected: [...values.sql, ...ids.sql, "CAST(ts AS DOUBLE)"],
    read: (chunk) => {
      const columns = values.read(chunk, 0);
      const [idValues] = ids.read(chunk, values.width) as readonly [readonly string[]];
      const timestampsMs = readInstants(chunk, values.width + ids.width);
      return idValues.map((id, row): LoadedRow => {
        const timestampMs = timestampsMs[row] as number;
        const event = { timestampMs, id, values: valuesOf(columns, row) };
        return { id, timestampMs, body: writeSourceEvent(source, event) };
      });
    },
  };
}

function valuesOf(
  columns: readonly (readonly (Scalar | null)[])[],
  row: number,
): readonly (Scalar | null)[] {
  return columns.map((column) => column[row] ?? null);
}

function isFrom(fromMs: number): string {
  return Number.isFinite(fromMs) ? `ts >= ${Math.ceil(fromMs)}` : String(fromMs < 0);
}
