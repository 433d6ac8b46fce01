/** Writes rows as Parquet by day, within a bound of memory however many days and rows there are. */

import type { DuckDBConnection } from "@duckdb/node-api";
import type { DuckdbEngine } from "./duckdb-engine.ts";
import { dayNameSql } from "./layout.ts";
import { stageRows } from "./staged-rows.ts";
import type { Staged } from "./staged-rows.ts";
import type { StoredColumn, StoredRow } from "./stored-columns.ts";

export interface DayFiles {
  readonly directory: string;
  readonly columns: readonly StoredColumn<StoredRow>[];
  readonly rows: AsyncIterable<readonly StoredRow[]>;
}

/** Writes `{directory}/day=.../*.parquet`, none where there are no rows. */
export async function writeDayFiles(engine: DuckdbEngine, files: DayFiles): Promise<void> {
  await stageRows(engine, files, async (connection, staged) => {
    const rowsMax = (engine.sortedBytesMax * staged.rowCount) / staged.byteCount;
    for (const range of planRanges(await countDays(connection, staged), rowsMax)) {
      const order = range.dayCount === 1 ? "" : "ORDER BY day";
      await engine.copyParts(connection, {
        sql: `SELECT *, ${dayNameSql("_ts")} AS day FROM ${staged.relation}
          WHERE _ts BETWEEN ${range.firstMs} AND ${range.lastMs} ${order}`,
        by: "day",
        directory: files.directory,
        rowBytes: staged.byteCount / staged.rowCount,
        compression: "zstd",
      });
    }
  });
}

interface DayCount {
  readonly firstMs: bigint;
  readonly lastMs: bigint;
  readonly rowCount: number;
}

interface DayRange extends DayCount {
  readonly dayCount: number;
}

async function countDays(
  connection: DuckDBConnection,
  staged: Staged,
): Promise<readonly DayCount[]> {
  const result = await connection.runAndReadAll(
    `SELECT min(_ts), max(_ts), CAST(count(*) AS DOUBLE) FROM ${staged.relation}
     GROUP BY ${dayNameSql("_ts")} ORDER BY 1`,
  );
  const rows = result.getRows() as [bigint, bigint, number][];
  return rows.map(([firstMs, lastMs, rowCount]) => ({ firstMs, lastMs, rowCount }));
}

/**
 * Joins days that follow one another into ranges that a sort holds: sorted, a day needs one open
 * file at a time, where rows of a thousand days at once would make crumbs of files.
 */
function planRanges(days: readonly DayCount[], rowsMax: number): readonly DayRange[] {
  const ranges: DayRange[] = [];
  for (const day of days) {
    const range = ranges.at(-1);
    if (range === undefined || range.rowCount + day.rowCount > rowsMax) {
      ranges.push({ ...day, dayCount: 1 });
    } else {
      ranges[ranges.length - 1] = {
        firstMs: range.firstMs,
        lastMs: day.lastMs,
        rowCount: range.rowCount + day.rowCount,
        dayCount: range.dayCount + 1,
      };
    }
  }
  return ranges;
}
