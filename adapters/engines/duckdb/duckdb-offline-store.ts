/** The embedded offline store: Parquet files under a directory, read and written by DuckDB. */

import { randomUUID } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hashText } from "../../../src/core/hash.ts";
import type { SourceDefinition, ViewDefinition } from "../../../src/define/definition.ts";
import type {
  Correction,
  Deletion,
  LoadSummary,
  LoadedRow,
  NewLoad,
  OfflineEvent,
  OfflineStore,
  ScanChunk,
  ScanRequest,
  SegmentName,
} from "../../../src/offline/offline-store.ts";
import { requireHome } from "../../../src/offline/require-home.ts";
import { commitDirectory, writeText } from "./commit.ts";
import { writeCorrections } from "./corrections.ts";
import { writeDayFiles } from "./day-files.ts";
import { writeDeletions } from "./deletions.ts";
import { DuckdbEngine } from "./duckdb-engine.ts";
import { Layout } from "./layout.ts";
import type { EpochRange } from "./layout.ts";
import { streamRecentRows } from "./load-rows.ts";
import { loadFiles } from "./loads.ts";
import type { LoadOptions } from "./loads.ts";
import {
  forgetEntities,
  rememberCovered,
  streamDeleted,
  streamSegmentEntities,
  streamVanished,
} from "./published.ts";
import { purgeSources } from "./purge.ts";
import { listNewLoads, registerLoad } from "./registered-loads.ts";
import { reread, rereadStream } from "./reread.ts";
import { estimateRows, scanRows } from "./scan.ts";
import type { StoreParts } from "./store-parts.ts";
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

export class DuckdbOfflineStore implements OfflineStore {
  readonly #parts: StoreParts;

  constructor(engine: DuckdbEngine, layout: Layout) {
    this.#parts = { engine, layout };
  }

  /** Made with the first call, of whichever process comes first. */
  async identity(): Promise<string> {
    const directory = this.#parts.layout.identity();
    await commitDirectory(directory, (path) => writeText(randomUUID())(join(path, "id")));
    return readFile(join(directory, "id"), "utf8");
  }

  async home(): Promise<string | null> {
    try {
      return await readFile(join(this.#parts.layout.home(), "id"), "utf8");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
      throw error;
    }
  }

  async setHome(home: string): Promise<void> {
    await commitDirectory(this.#parts.layout.home(), (path) => writeText(home)(join(path, "id")));
    requireHome(await this.home(), home);
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

  putDeletions(deletions: readonly Deletion[]): Promise<void> {
    return reread(() => writeDeletions(this.#parts, deletions));
  }

  /** Looks only at what has been put since the last purge, unless there are new deletions. */
  purge(views: readonly ViewDefinition[]): Promise<void> {
    return reread(() => purgeSources(this.#parts, views));
  }

  deletedEntities(view: ViewDefinition): AsyncIterable<readonly string[]> {
    return rereadStream(() => streamDeleted(this.#parts, view));
  }

  forgetPublished(view: ViewDefinition, entities: readonly string[]): Promise<void> {
    return reread(() => forgetEntities(this.#parts, view, entities));
  }

  newLoads(source: SourceDefinition): Promise<readonly NewLoad[]> {
    return listNewLoads(this.#parts.layout, source);
  }

  recentRows(load: NewLoad, fromMs: number): AsyncIterable<readonly LoadedRow[]> {
    return rereadStream(() => streamRecentRows(this.#parts, load, fromMs));
  }

  registerLoad(load: NewLoad, epoch: number): Promise<void> {
    return registerLoad(this.#parts.layout, load, epoch);
  }

  scan(request: ScanRequest): AsyncIterable<ScanChunk> {
    return rereadStream(() => scanRows(this.#parts, request));
  }

  estimateRows(request: ScanRequest): Promise<number> {
    return reread(() => estimateRows(this.#parts, request));
  }

  entitiesOf(view: ViewDefinition, epochs: EpochRange): AsyncIterable<readonly string[]> {
    return rereadStream(() => streamSegmentEntities(this.#parts, view, epochs));
  }

  /** Under the cut's name; a second run of the same cut adds what it brings anew. */
  putPublished(request: ScanRequest): Promise<void> {
    return reread(() => rememberCovered(this.#parts, request));
  }

  vanishedEntities(request: ScanRequest): AsyncIterable<readonly string[]> {
    return rereadStream(() => streamVanished(this.#parts, request));
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
