/** DuckDB in memory: bounded, spilling under a directory of its own, without network or extensions. */

import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import type { DuckDBConnection, DuckDBResult } from "@duckdb/node-api";
import { FeatureError } from "../../../src/core/errors.ts";
import { giveBackName, removeLeftOvers, takeTemporaryName } from "./left-overs.ts";

export interface EngineOptions {
  readonly memoryBytesMax: number;
  readonly threads: number;
  readonly temporaryDirectory: string;
}

/** Below this a thread's sort does not fit beside the Parquet it reads. */
export const threadMemoryBytesMin = 64_000_000;

/** The share of the memory that holds the part of a result that nobody has fetched yet. */
const streamedMemoryParts = 16;

/** A row group is read into memory, and written from it, a column at a time. */
const rowGroupBytes = 2_000_000;

/** The share of the memory for rows that wait for their part of a partitioned copy. */
const heldMemoryParts = 8;
const heldRowsMax = 65_536;
const vectorRows = 2_048;

export interface PartsCopy {
  readonly sql: string;
  readonly by: string;
  readonly directory: string;
  /** About what a row takes in memory. */
  readonly rowBytes: number;
  readonly compression: "lz4" | "zstd";
}

export class DuckdbEngine {
  readonly memoryBytesMax: number;
  /**
   * How large a sort may be. DuckDB spills its sorts, but wide rows soon leave no memory for the
   * Parquet that is read or written beside them; measured with rows of 100 and of 860 bytes.
   */
  readonly sortedBytesMax: number;
  readonly #instance: DuckDBInstance;
  readonly #threads: number;
  readonly #temporaryDirectory: string;

  private constructor(instance: DuckDBInstance, options: EngineOptions) {
    this.#instance = instance;
    this.#threads = options.threads;
    this.memoryBytesMax = options.memoryBytesMax;
    const spareBytes = options.memoryBytesMax - options.threads * threadMemoryBytesMin;
    this.sortedBytesMax = Math.max(options.memoryBytesMax / 2, spareBytes * 2);
    this.#temporaryDirectory = options.temporaryDirectory;
  }

  /** @throws RangeError when one thread would not fit into the memory. */
  static async open(options: EngineOptions): Promise<DuckdbEngine> {
    const { memoryBytesMax } = options;
    if (!(memoryBytesMax >= threadMemoryBytesMin)) {
      throw new RangeError(
        `Cannot open the offline store: memoryBytesMax is ${memoryBytesMax}, expected at least ${threadMemoryBytesMin}`,
      );
    }
    const name = takeTemporaryName("duckdb");
    const temporaryDirectory = join(resolve(options.temporaryDirectory), name);
    await mkdir(temporaryDirectory, { recursive: true });
    const threadsMax = Math.floor(memoryBytesMax / threadMemoryBytesMin);
    const threads = Math.max(1, Math.min(options.threads, threadsMax));
    const instance = await DuckDBInstance.create(":memory:", {
      memory_limit: `${Math.floor(memoryBytesMax / 1000)}KB`,
      threads: String(threads),
      temp_directory: join(temporaryDirectory, "spill"),
      // No query here relies on the order of files: what is ordered says so.
      preserve_insertion_order: "false",
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
    });
    return new DuckdbEngine(instance, { ...options, threads, temporaryDirectory });
  }

  /** A path for something temporary, in a directory that `close` removes. */
  temporaryPath(): string {
    return join(this.#temporaryDirectory, randomUUID());
  }

  /** Runs `body` with a connection of its own, and so with temporary tables of its own. */
  async use<T>(body: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    const connection = await this.#instance.connect();
    try {
      return await body(connection);
    } catch (cause) {
      throw explainError(cause, this.memoryBytesMax);
    } finally {
      connection.disconnectSync();
    }
  }

  /** Copies rows into a directory for each value of their column `by`, which the files leave out. */
  async copyParts(connection: DuckDBConnection, copy: PartsCopy): Promise<void> {
    const rowsHeld = this.memoryBytesMax / heldMemoryParts / this.#threads / copy.rowBytes;
    // Rows that wait for their part cannot be spilled. The setting is the instance's: what another
    // copy sets at the same time is as good a bound for rows of its width.
    const threshold = Math.max(vectorRows, Math.min(heldRowsMax, Math.floor(rowsHeld)));
    await connection.run(`SET GLOBAL partitioned_write_flush_threshold = ${threshold}`);
    await connection.run(
      `COPY (${copy.sql}) TO ${literal(copy.directory)}
       (${parquetOptions(copy.compression)}, PARTITION_BY (${copy.by}), OVERWRITE_OR_IGNORE)`,
    );
  }

  run(sql: string): Promise<void> {
    return this.use(async (connection) => {
      await connection.run(sql);
    });
  }

  /** The rows of a small result, each in the order of its columns. */
  rows(sql: string): Promise<readonly (readonly unknown[])[]> {
    return this.use(async (connection) => (await connection.runAndReadAll(sql)).getRows());
  }

  /** Streams a result; what `read` makes of a chunk must not refer to the chunk's memory. */
  async *stream<T>(sql: string, read: ChunkReader<T>): AsyncGenerator<T, void, undefined> {
    const connection = await this.#instance.connect();
    let next: Promise<Chunk | null> | null = null;
    try {
      const bufferBytes = Math.floor(this.memoryBytesMax / streamedMemoryParts);
      await connection.run(`SET streaming_buffer_size = '${Math.floor(bufferBytes / 1000)}KB'`);
      const result = await connection.stream(sql);
      next = result.fetchChunk();
      for (;;) {
        const chunk = await next;
        if (chunk === null || chunk.rowCount === 0) return;
        // DuckDB works on the next one while this one is read.
        next = result.fetchChunk();
        const piece = read(chunk, result);
        // Strings of a chunk outlive it until the collector runs, which cannot see their size.
        chunk.reset();
        yield piece;
      }
    } catch (cause) {
      throw explainError(cause, this.memoryBytesMax);
    } finally {
      await Promise.allSettled([next]);
      connection.disconnectSync();
    }
  }

  /** Removes what engines that crashed have left where this one spills. */
  removeLeftOvers(): Promise<void> {
    return removeLeftOvers(dirname(this.#temporaryDirectory), { deep: false });
  }

  async close(): Promise<void> {
    this.#instance.closeSync();
    giveBackName(basename(this.#temporaryDirectory));
    await rm(this.#temporaryDirectory, { recursive: true, force: true });
  }
}

export type Chunk = NonNullable<Awaited<ReturnType<DuckDBResult["fetchChunk"]>>>;

export type ChunkReader<T> = (chunk: Chunk, result: DuckDBResult) => T;

/** Options of a COPY to Parquet. Row groups are bounded by rows alone if nothing else is said. */
export function parquetOptions(compression: PartsCopy["compression"]): string {
  return `FORMAT parquet, COMPRESSION ${compression}, ROW_GROUP_SIZE_BYTES ${rowGroupBytes}`;
}

/** A text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A relation over Parquet files whose columns may differ: those that a file lacks are null. */
export function parquetFiles(paths: readonly string[], options = ""): string {
  return `read_parquet(${pathList(paths)}, union_by_name = true, hive_partitioning = false${options})`;
}

/** Paths as an SQL list, for functions that would take them for patterns. */
export function pathList(paths: readonly string[]): string {
  return `[${paths.map((path) => literal(escapeGlob(path))).join(", ")}]`;
}

function escapeGlob(path: string): string {
  return path.replace(/[*?[]/g, (sign) => `[${sign}]`);
}

function explainError(cause: unknown, memoryBytesMax: number): unknown {
  if (!(cause instanceof Error) || !cause.message.includes("Out of Memory Error")) return cause;
  return new FeatureError(
    "RESOURCE_EXHAUSTED",
    `Cannot run a query of the offline store: its ${memoryBytesMax} bytes of memory are used up, expected a higher memoryBytesMax or fewer threads`,
    { cause },
  );
}
