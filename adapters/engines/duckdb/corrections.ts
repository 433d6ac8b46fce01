/** Corrections: files in the order in which they were put, each event id's newest counts. */

import { basename, join } from "node:path";
import { FeatureError } from "../../../src/core/errors.ts";
import type { SourceDefinition } from "../../../src/define/definition.ts";
import type { Correction } from "../../../src/offline/offline-store.ts";
import { commitFile } from "./commit.ts";
import { literal, parquetOptions } from "./duckdb-engine.ts";
import { inOneBatch, stageRows } from "./staged-rows.ts";
import type { StoreParts } from "./store-parts.ts";
import { eventColumns } from "./stored-columns.ts";
import type { StoredColumn } from "./stored-columns.ts";

interface NumberedCorrection extends Correction {
  /** Its place among those that were put together: the last one of an id counts. */
  readonly number: number;
}

/** @throws FeatureError INVALID_REQUEST when the source declares no event id. */
export async function writeCorrections(
  { engine, layout }: StoreParts,
  source: SourceDefinition,
  corrections: readonly Correction[],
): Promise<void> {
  if (source.id === null) {
    throw new FeatureError(
      "INVALID_REQUEST",
      `Cannot correct events of source "${source.name}": it declares no event id, expected one`,
    );
  }
  if (corrections.length === 0) return;
  const newest = (await layout.listCorrections(source.name)).map((path) =>
    Number.parseInt(basename(path), 10),
  );
  const next = Math.max(-1, ...newest) + 1;
  const directory = layout.corrections(source.name);
  await commitFile(
    (attempt) => join(directory, `${next + attempt}.parquet`),
    async (path) => {
      const rows = inOneBatch(corrections.map((each, number) => ({ ...each, number })));
      await stageRows(engine, { columns: columnsOf(source), rows }, async (connection, staged) => {
        await connection.run(
          `COPY (SELECT * FROM ${staged.relation}) TO ${literal(path)} (${parquetOptions("zstd")})`,
        );
      });
    },
  );
}

function columnsOf(source: SourceDefinition): readonly StoredColumn<NumberedCorrection>[] {
  return [
    ...eventColumns<NumberedCorrection>(source, ({ event }) => event),
    {
      name: "_ts",
      type: "BIGINT",
      read: ({ event }) => (event === null ? null : BigInt(event.timestampMs)),
    },
    { name: "_id", type: "VARCHAR", read: ({ id }) => id },
    { name: "_removed", type: "BOOLEAN", read: ({ event }) => event === null },
    { name: "_number", type: "BIGINT", read: ({ number }) => BigInt(number) },
  ];
}
