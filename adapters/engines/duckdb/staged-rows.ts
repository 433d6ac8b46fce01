/** Rows on their way into Parquet: batches of bounded size go through a table into staging files. */

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBDataChunk } from "@duckdb/node-api";
import type { DuckDBConnection } from "@duckdb/node-api";
import { literal, parquetFiles, parquetOptions } from "./duckdb-engine.ts";
import type { DuckdbEngine } from "./duckdb-engine.ts";
import { duckdbType } from "./stored-columns.ts";
import type { StoredColumn } from "./stored-columns.ts";

/** DuckDB's vectors hold as many. */
const chunkRowsMax = 2_048;

const batchRowsMax = 122_880;

export interface Staged {
  /** A relation over all rows, as SQL that the connection understands while `read` runs. */
  readonly relation: string;
  readonly rowCount: number;
  /** About what the rows take in memory. */
  readonly byteCount: number;
}

export interface Staging<Row> {
  readonly columns: readonly StoredColumn<Row>[];
  readonly rows: AsyncIterable<readonly Row[]>;
}

/** Stages every row, then has `read` make of them what it will. The staging files are temporary. */
export async function stageRows<Row>(
  engine: DuckdbEngine,
  staging: Staging<Row>,
  read: (connection: DuckDBConnection, staged: Staged) => Promise<void>,
): Promise<void> {
  const directory = engine.temporaryPath();
  await mkdir(directory, { recursive: true });
  try {
    await engine.use(async (connection) => {
      const stage = new Stage(connection, { directory, engine, columns: staging.columns });
      await stage.begin();
      for await (const rows of staging.rows) {
        for (const row of rows) if (stage.add(row)) await stage.flush();
      }
      await read(connection, await stage.finish());
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface StageParts<Row> {
  readonly directory: string;
  readonly engine: DuckdbEngine;
  readonly columns: readonly StoredColumn<Row>[];
}

class Stage<Row> {
  readonly #connection: DuckDBConnection;
  readonly #parts: StageParts<Row>;
  readonly #batchBytesMax: number;
  readonly #files: string[] = [];
  #rows: Row[] = [];
  #batchRowCount = 0;
  #batchByteCount = 0;
  #rowCount = 0;
  #byteCount = 0;

  constructor(connection: DuckDBConnection, parts: StageParts<Row>) {
    this.#connection = connection;
    this.#parts = parts;
    this.#batchBytesMax = parts.engine.memoryBytesMax / 8;
  }

  async begin(): Promise<void> {
    const columns = this.#parts.columns.map(({ name, type }) => `"${name}" ${type}`);
    await this.#connection.run(
      `CREATE OR REPLACE TEMPORARY TABLE staged_batch (${columns.join(", ")})`,
    );
  }

  /** Whether the rows held in memory are due to be flushed. */
  add(row: Row): boolean {
    this.#rows.push(row);
    return this.#rows.length === chunkRowsMax;
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const appender = await this.#connection.createAppender("staged_batch");
    try {
      appender.appendDataChunk(this.#fillChunk());
    } finally {
      appender.closeSync();
    }
    this.#batchRowCount += this.#rows.length;
    this.#rows = [];
    if (this.#batchRowCount >= batchRowsMax || this.#batchByteCount >= this.#batchBytesMax) {
      await this.#writeBatch();
    }
  }

  /** What fits into one batch stays in its table. */
  async finish(): Promise<Staged> {
    await this.flush();
    if (this.#files.length > 0 && this.#batchRowCount > 0) await this.#writeBatch();
    const relation = this.#files.length > 0 ? parquetFiles(this.#files) : "staged_batch";
    return {
      relation,
      rowCount: this.#rowCount + this.#batchRowCount,
      byteCount: this.#byteCount + this.#batchByteCount,
    };
  }

  #fillChunk(): DuckDBDataChunk {
    const rows = this.#rows;
    const types = this.#parts.columns.map(({ type }) => duckdbType(type));
    const chunk = DuckDBDataChunk.create(types, rows.length);
    this.#parts.columns.forEach(({ read }, columnIndex) => {
      const vector = chunk.getColumnVector(columnIndex);
      for (let i = 0; i < rows.length; i++) {
        const value = read(rows[i] as Row);
        vector.setItem(i, value);
        this.#batchByteCount += typeof value === "string" ? 16 + value.length : 8;
      }
      vector.flush();
    });
    return chunk;
  }

  async #writeBatch(): Promise<void> {
    const file = join(this.#parts.directory, `${this.#files.length}.parquet`);
    await this.#connection.run(`COPY staged_batch TO ${literal(file)} (${parquetOptions("lz4")})`);
    this.#files.push(file);
    this.#rowCount += this.#batchRowCount;
    this.#byteCount += this.#batchByteCount;
    this.#batchRowCount = 0;
    this.#batchByteCount = 0;
    await this.begin();
  }
}

/** Rows that are in memory already. */
export async function* inOneBatch<Row>(
  rows: readonly Row[],
): AsyncGenerator<readonly Row[], void, undefined> {
  yield rows;
}
