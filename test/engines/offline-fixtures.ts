/** Offline stores in temporary directories, and what scans bring as plain rows. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type {
  DuckdbOfflineStore,
  OfflineStoreOptions,
} from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { Scalar } from "../../src/core/value.ts";
import type { SourceDefinition, ViewDefinition } from "../../src/define/definition.ts";
import {
  batchSource,
  batchView,
  count,
  entity,
  last,
  streamSource,
  streamView,
} from "../../src/index.ts";
import type {
  OfflineEvent,
  OfflineStore,
  ScanChunk,
  ScanRequest,
} from "../../src/offline/offline-store.ts";

export const clicks = streamSource("clicks", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", amt: "float64" },
});

export const user = entity("user", { user_id: "string" });

export const clickView = streamView("user_clicks", {
  entities: [user],
  source: clicks,
  windowing: "sliding",
  interval: "5m",
  features: { amt: [count("1h"), last("1d")] },
  compaction: { every: "1d" },
});

/** Without an event id. */
export const visits = batchSource("visits", {
  timestamp: "at",
  columns: { at: "timestamp", user_id: "string", page: "string" },
});

export const visitView = batchView("user_visits", {
  entities: [user],
  source: visits,
  windowing: "sliding",
  interval: "5m",
  features: { page: [count("1h"), last("1d")] },
  compaction: { every: "1d" },
});

export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-offline-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function openStore(
  options: Partial<OfflineStoreOptions> = {},
): Promise<DuckdbOfflineStore> {
  const store = await openOfflineStore({
    directory: options.directory ?? (await temporaryDirectory()),
    memoryBytesMax: 256_000_000,
    threads: 2,
    ...options,
  });
  onTestFinished(() => store.close());
  return store;
}

/** Writes files into a new directory and returns their paths. */
export async function writeFiles(texts: Readonly<Record<string, string>>): Promise<string[]> {
  const directory = await temporaryDirectory();
  const paths: string[] = [];
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(join(directory, name), text);
    paths.push(join(directory, name));
  }
  return paths;
}

export interface Click {
  readonly id: string;
  readonly user: string | null;
  readonly atMs: number;
  readonly amt?: number | null;
  readonly seq?: number;
  readonly epoch?: number;
}

/** The columns of `clicks` are ts, id, user_id, amt. */
export function clickEvent({ id, user, atMs, amt = 1, seq = 1, epoch = 0 }: Click): OfflineEvent {
  const values = [atMs, id, user, amt];
  return { timestampMs: atMs, id, values, seq, epoch, arrivedAtMs: atMs + 1 };
}

export async function* batches<Row>(...rows: (readonly Row[])[]): AsyncGenerator<readonly Row[]> {
  for (const batch of rows) yield batch;
}

export function putClicks(
  store: DuckdbOfflineStore,
  clicksPut: readonly Click[],
  name: { readonly shard?: string; readonly epoch?: number } = {},
): Promise<void> {
  const { shard = "main-0", epoch = 0 } = name;
  const rows = clicksPut.map((click, i) => clickEvent({ seq: i + 1, epoch, ...click }));
  return store.putSegment({ source: clicks, shard, epoch }, batches(rows));
}

/** Loads files of clicks, which every scan with a cut of 0 or later sees from then on. */
export async function loadRegistered(
  store: DuckdbOfflineStore,
  files: readonly string[],
): Promise<void> {
  await store.load(clicks, files);
  for (const load of await store.newLoads(clicks)) await store.registerLoad(load, 0);
}

/** One row of a scan: its join keys, instant, id and values, in that order. */
export type FlatRow = readonly (Scalar | null)[];

export function requestOf(view: ViewDefinition, options: Partial<ScanRequest> = {}): ScanRequest {
  return { view, cut: 1_000_000, fromMs: -Infinity, untilMs: Infinity, ...options };
}

export async function scanAll(
  store: Pick<OfflineStore, "scan">,
  request: ScanRequest,
): Promise<readonly FlatRow[]> {
  const rows: FlatRow[] = [];
  for await (const chunk of store.scan(request)) rows.push(...flatten(chunk));
  return rows;
}

export async function collect(chunks: AsyncIterable<readonly string[]>): Promise<string[]> {
  const found: string[] = [];
  for await (const chunk of chunks) found.push(...chunk);
  return found.sort();
}

export function eventOf(source: SourceDefinition, values: FlatRow): OfflineEvent {
  const valueOf = (name: string | null) =>
    values[source.columns.findIndex((column) => column.name === name)] ?? null;
  return {
    timestampMs: valueOf(source.timestamp) as number,
    id: source.id === null ? "" : (valueOf(source.id) as string),
    values,
    seq: 1,
    epoch: 0,
    arrivedAtMs: 0,
  };
}

function flatten(chunk: ScanChunk): FlatRow[] {
  return Array.from({ length: chunk.rowCount }, (_, i) => [
    ...chunk.joinKeys.map((column) => column[i] as Scalar),
    chunk.timestampsMs[i] as number,
    chunk.ids[i] as string,
    ...chunk.values.map((column) => column[i] as Scalar | null),
  ]);
}
