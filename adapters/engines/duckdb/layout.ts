/**
 * Where things lie under the store's directory:
 *
 *   {source}/segments/{shard}-{epoch}/day=YYYY-MM-DD/*.parquet
 *   {source}/loads/{name}/day=YYYY-MM-DD/*.parquet        beside load.json
 *   {source}/registered/{name}                            the epoch of a load
 *   {source}/corrections/{n}.parquet
 *   {source}/clean.json                                   what holds no row of deleted entities
 *   published/{view}@{fingerprint}/{cut}.parquet          {cut}.{n}.parquet for the same cut again
 *   published/{view}@{fingerprint}/purged.parquet         purged.{n}.parquet for the next purges
 *   _deletions/entities.parquet
 *   _identity/id
 *   _home/id
 *
 * A view or a shard is percent-escaped. A file of Parquet may have a later version beside it, which
 * counts in its stead. Whatever has another name, as what a crash left behind, is not there.
 */

import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SegmentName } from "../../../src/offline/offline-store.ts";
import { listCurrent } from "./versions.ts";

export interface EpochRange {
  readonly afterEpoch: number;
  readonly throughEpoch: number;
}

/** Instants in `[fromMs, untilMs)`; the ends may be infinite. */
export interface TimeRange {
  readonly fromMs: number;
  readonly untilMs: number;
}

export const allTime: TimeRange = { fromMs: -Infinity, untilMs: Infinity };

export class Layout {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** No source is named so. */
  identity(): string {
    return join(this.root, "_identity");
  }

  /** No source is named so. */
  home(): string {
    return join(this.root, "_home");
  }

  segment({ source, shard, epoch }: SegmentName): string {
    return join(this.root, source.name, "segments", `${escapeName(shard)}-${epoch}`);
  }

  load(source: string, name: string): string {
    return join(this.root, source, "loads", name);
  }

  /** Apart from the load, whose directory never changes. */
  registration(source: string, load: string): string {
    return join(this.root, source, "registered", load);
  }

  clean(source: string): string {
    return join(this.root, source, "clean.json");
  }

  /** No source is named so. */
  deletions(): string {
    return join(this.root, "_deletions", "entities.parquet");
  }

  corrections(source: string): string {
    return join(this.root, source, "corrections");
  }

  published(view: { readonly name: string; readonly fingerprint: string }): string {
    return join(this.root, "published", `${view.name}@${view.fingerprint}`);
  }

  /** Directories of the segments of epochs in `(afterEpoch, throughEpoch]`. */
  async listSegments(source: string, epochs: EpochRange): Promise<readonly string[]> {
    const directory = join(this.root, source, "segments");
    const entries = await listDirectory(directory);
    return entries.flatMap((entry) => {
      const epoch = Number(segmentPattern.exec(entry.name)?.[1] ?? NaN);
      return epoch > epochs.afterEpoch && epoch <= epochs.throughEpoch
        ? [join(directory, entry.name)]
        : [];
    });
  }

  async listLoads(source: string): Promise<readonly string[]> {
    return listNamed(join(this.root, source, "loads"), loadPattern);
  }

  async listRegistrations(source: string): Promise<readonly string[]> {
    return listNamed(join(this.root, source, "registered"), loadPattern);
  }

  async listCorrections(source: string): Promise<readonly string[]> {
    return listNamed(this.corrections(source), /^\d+(?:~\d+)?\.parquet$/);
  }

  /** The file of the deletions; null before the first. */
  async findDeletions(): Promise<string | null> {
    const pattern = /^entities(?:~\d+)?\.parquet$/;
    const [file] = await listNamed(join(this.root, "_deletions"), pattern);
    return file ?? null;
  }

  async listPublished(view: {
    readonly name: string;
    readonly fingerprint: string;
  }): Promise<readonly string[]> {
    return listNamed(this.published(view), publishedPattern);
  }
}

const loadPattern = /^[0-9a-f]{64}$/;

const publishedPattern = /^(?:-?\d+|purged)(?:\.\d+)?(?:~\d+)?\.parquet$/;

/** An escaped name holds no dot, and what is still being written begins with one. */
const segmentPattern = /^[\w~%-]*-(\d+)$/;

/** The Parquet files in directories of segments and loads, of the days that a range meets. */
export async function listDayFiles(
  directories: readonly string[],
  range: TimeRange,
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const directory of directories) {
    for (const { name } of await listDirectory(directory)) {
      if (!name.startsWith("day=") || !meetsDay(range, name.slice(4))) continue;
      files.push(...(await listNamed(join(directory, name), /\.parquet$/)));
    }
  }
  return files;
}

const dayMs = 86_400_000;
const firstDayMs = Date.parse("0001-01-01T00:00:00Z");
const afterLastDayMs = Date.parse("9999-12-31T00:00:00Z") + dayMs;

/** The name of an instant's UTC day; years outside 0001 to 9999 share one each way. */
export function dayName(instantMs: number): string {
  if (instantMs < firstDayMs) return "before";
  if (instantMs >= afterLastDayMs) return "after";
  return new Date(instantMs).toISOString().slice(0, 10);
}

/** The same of a column of instants, in SQL. */
export function dayNameSql(column: string): string {
  return `CASE WHEN ${column} < ${firstDayMs} THEN 'before' WHEN ${column} >= ${afterLastDayMs} THEN 'after'
    ELSE CAST(CAST(make_timestamp(${column} * 1000) AS DATE) AS VARCHAR) END`;
}

function meetsDay({ fromMs, untilMs }: TimeRange, day: string): boolean {
  if (fromMs >= untilMs) return false;
  return dayRank(day) >= dayRank(dayName(fromMs)) && dayRank(day) <= dayRank(dayName(untilMs - 1));
}

/** Dates order as text does; the two names for far instants go before and after them. */
function dayRank(day: string): number {
  if (day === "before") return -Infinity;
  return day === "after" ? Infinity : Date.parse(`${day}T00:00:00Z`);
}

function escapeName(name: string): string {
  return encodeURIComponent(name).replace(
    /[.!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
}

async function listNamed(directory: string, pattern: RegExp): Promise<readonly string[]> {
  const entries = await listDirectory(directory);
  const names = entries.map(({ name }) => name).filter((name) => pattern.test(name));
  return listCurrent(names).map((name) => join(directory, name));
}

async function listDirectory(directory: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw cause;
  }
}
