/** The embedded offline store: Parquet files under a directory, read and written by DuckDB. */

import { randomUUID } from "node:crypto";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hashText } from "../../../src/core/hash.ts";
import type { SourceDefinition, ViewDefinition } from "../../../src/define/definition.ts";
import type {
  Correction,
  LoadSummary,
  OfflineEvent,
  OfflineStore,
  ScanChunk,
  ScanRequest,
  SegmentName,
} from "../../../src/offline/offline-store.ts";
import { commitDirectory } from "./commit.ts";
import { writeCorrections } from "./corrections.ts";
import { writeDayFiles } from "./day-files.ts";
import { DuckdbEngine } from "./duckdb-engine.ts";
import { rememberPublished, streamSegmentEntities, streamVanished } from "./entities.ts";
import { Layout } from "./layout.ts";
import type { EpochRange } from "./layout.ts";
import { loadFiles } from "./loads.ts";
import type { LoadOptions } from "./loads.ts";
import { estimateRows, scanRows } from "./scan.ts";
import { rowColumns } from "./stored-columns.ts";
import type { StoredRow } from "./stored-columns.ts";

export interface OfflineStoreOptions {
  /** Several stores, of one process or of several, may use a directory at once. */
  readonly directory: string;
  /** For DuckDB, in bytes; at least 64 million. What does not fit is spilled. */
  readonly memoryBytesMax: number;
  /** No more run than `memoryBytesMax` has 64 million bytes for; 4 if left out. */
  readonly threads?: number;
  /** Where spilled data goes; `tmp` in the directory if left out. */
  readonly temporaryDirectory?: string;
}

/**
 * Opens the store in a directory, which need not exist.
 *
 * @throws RangeError when `memoryBytesMax` is too small.
 * @example
 * const store = await openOfflineStore({ directory: "offline", memoryBytesMax: 1e9 });
 */
export async function openOfflineStore(options: OfflineStoreOptions): Promise<DuckdbOfflineStore> {
  const directory = resolve(options.directory);
  const engine = await DuckdbEngine.open({
    memoryBytesMax: options.memoryBytesMax,
    threads: options.threads ?? 4,
    temporaryDirectory: options.temporaryDirectory ?? join(directory, "tmp"),
  });
  return new DuckdbOfflineStore(engine, new Layout(directory));
}

interface StoreParts {
  readonly engine: DuckdbEngine;
  readonly layout: Layout;
}

export class DuckdbOfflineStore implements OfflineStore {
  readonly #parts: StoreParts;

  constructor(engine: DuckdbEngine, layout: Layout) {
    this.#parts = { engine, layout };
  }

  /** Made with the first call, of whichever process comes first. */
  async identity(): Promise<string> {
    const directory = this.#parts.layout.identity();
    await commitDirectory(directory, (path) => writeFile(join(path, "id"), randomUUID()));
    return readFile(join(directory, "id"), "utf8");
  }

  async hasSegment(name: SegmentName): Promise<boolean> {
    const found = await stat(this.#parts.layout.segment(name)).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw cause;
    });
    return found !== null;
  }

  /** The rows are not read when the segment is there. */
  async putSegment(name: SegmentName, rows: AsyncIterable<readonly OfflineEvent[]>): Promise<void> {
    if (await this.hasSegment(name)) return;
    const { engine, layout } = this.#parts;
    await commitDirectory(layout.segment(name), (directory) =>
      writeDayFiles(engine, {
        directory,
        columns: rowColumns(name.source),
        rows: placeRows(rows, hashText(name.shard)),
      }),
    );
  }

  putCorrections(source: SourceDefinition, corrections: readonly Correction[]): Promise<void> {
    return writeCorrections(this.#parts, source, corrections);
  }

  /** Loads files of history: CSV, JSON lines, Parquet, and directories of them. */
  load(
    source: SourceDefinition,
    files: readonly string[],
    options: LoadOptions = {},
  ): Promise<LoadSummary> {
    return loadFiles(this.#parts, { source, files }, options);
  }

  scan(request: ScanRequest): AsyncIterable<ScanChunk> {
    return scanRows(this.#parts.engine, this.#parts.layout, request);
  }

  estimateRows(request: ScanRequest): Promise<number> {
    return estimateRows(this.#parts.engine, this.#parts.layout, request);
  }

  entitiesOf(view: ViewDefinition, epochs: EpochRange): AsyncIterable<readonly string[]> {
    return streamSegmentEntities(this.#parts, view, epochs);
  }

  /** Under the cut's name; a second run of the same cut adds what it brings anew. */
  putPublished(request: ScanRequest): Promise<void> {
    return rememberPublished(this.#parts, request);
  }

  vanishedEntities(request: ScanRequest): AsyncIterable<readonly string[]> {
    return streamVanished(this.#parts, request);
  }

  /** Frees DuckDB's memory and removes what it spilled. Scans in progress must have ended. */
  close(): Promise<void> {
    return this.#parts.engine.close();
  }
}

async function* placeRows(
  rows: AsyncIterable<readonly OfflineEvent[]>,
  origin: number,
): AsyncGenerator<readonly StoredRow[], void, undefined> {
  for await (const batch of rows) yield batch.map((row) => ({ ...row, origin }));
}
