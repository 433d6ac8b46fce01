/**
 * The rows a second of a compaction (read Parquet, bring keys together, fold, encode) over those of
 * DuckDB's own GROUP BY of the same Parquet into the same tiles: count, sum, min and max.
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { foldView } from "../../src/compact/fold-view.ts";
import { count, entity, max, min, streamSource, streamView, sum } from "../../src/index.ts";
import { figureOf, ratioRounds } from "./measure.ts";
import type { Figure } from "./measure.ts";

const rowCount = 2_000_000;
const keyCount = 100_000;
const rounds = 5;
const dayMs = 86_400_000;
const hourMs = 3_600_000;

const source = streamSource("bench_rows", {
  timestamp: "ts",
  columns: { ts: "timestamp", user_id: "string", amount: "float64" },
});

const view = streamView("bench_rows_view", {
  entities: [entity("bench_row_user", { user_id: "string" })],
  source,
  windowing: "sliding",
  interval: "1h",
  features: { amount: [count("7d"), sum("7d"), min("7d"), max("7d")] },
  compaction: { every: "1d" },
});

export async function compactionVsGroupBy(): Promise<Figure> {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-bench-"));
  const nowMs = 1_770_000_000_000;
  const startMs = nowMs - 8 * dayMs;
  try {
    const database = await DuckDBInstance.create(":memory:");
    const connection = await database.connect();
    const file = join(directory, "rows.parquet");
    await connection.run(`COPY (
      SELECT ${startMs} + (i * 691200000 // ${rowCount})::BIGINT AS ts,
        'user' || (hash(i) % ${keyCount}) AS user_id,
        ((hash(i * 7) % 100000) / 100)::DOUBLE AS amount
      FROM range(${rowCount}) AS r(i)) TO '${file}' (FORMAT parquet)`);
    const offline = await openOfflineStore({
      directory: join(directory, "offline"),
      memoryBytesMax: 1024 ** 3,
    });
    await offline.load(source, [file]);
    for (const load of await offline.newLoads(source)) await offline.registerLoad(load, 0);
    const scan = { view, cut: 0, fromMs: -Infinity, untilMs: Infinity };
    const run = { cut: 0, sealedAtMs: nowMs, watermarkMs: nowMs };
    const ours = async () => {
      const startedAt = performance.now();
      let events = 0;
      for await (const record of foldView(view, run, offline.scan(scan)))
        events += record.eventCount;
      if (events === 0) throw new Error("Cannot compare: no row was folded");
      return events / (performance.now() - startedAt);
    };
    const parquet = join(directory, "offline", source.name, "loads", "*", "*", "*.parquet");
    const groupBy = async () => {
      const startedAt = performance.now();
      const result = await connection.runAndReadAll(`SELECT count(*) AS tiles FROM (
        SELECT user_id, _ts // ${hourMs} AS tile, count(amount), sum(amount), min(amount), max(amount)
        FROM read_parquet('${parquet}') GROUP BY ALL)`);
      if (result.currentRowCount !== 1) throw new Error("Cannot group: no answer");
      return rowCount / (performance.now() - startedAt);
    };
    const ratios = await ratioRounds(rounds, ours, groupBy);
    await offline.close();
    connection.closeSync();
    return figureOf(ratios, "rows per second of a compaction / of DuckDB's GROUP BY");
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
