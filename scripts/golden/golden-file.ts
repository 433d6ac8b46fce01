/** The two formats of golden files: windows (one compaction) and arrivals (a script of operations). */

import { readFile } from "node:fs/promises";

export interface GoldenAggregation {
  readonly function: string;
  readonly column: string;
  readonly window_ms: number | null;
  readonly offset_ms?: number;
  readonly n?: number;
}

export interface GoldenView {
  readonly kind: "batch" | "stream";
  readonly windowing: "sliding" | "sawtooth" | "continuous";
  readonly entities: readonly string[];
  readonly timestamp: string;
  readonly event_id: string;
  readonly columns: Readonly<Record<string, string>>;
  readonly aggregation_interval_ms: number;
  readonly aggregations: readonly GoldenAggregation[];
  readonly horizon_ms: number;
  readonly lateness_ms: number;
}

export type GoldenEvent = Readonly<Record<string, unknown>> & {
  readonly id: string;
  readonly ts: number;
};

/** The join keys stand beside `at`. `expected` is left out of files that are to be answered. */
export type GoldenQuery = Readonly<Record<string, unknown>> & {
  readonly at: number;
  readonly expected?: Readonly<Record<string, unknown>>;
  answers?: Record<string, unknown>;
};

export interface WindowsCase {
  readonly view: GoldenView;
  readonly watermark: number;
  readonly compact_at: number;
  readonly events: readonly GoldenEvent[];
  readonly queries: readonly GoldenQuery[];
}

export type GoldenOperation =
  | { readonly op: "ingest"; readonly at: number; readonly events: readonly GoldenEvent[] }
  | { readonly op: "compact"; readonly at: number; readonly watermark: number }
  | {
      readonly op: "heal";
      readonly at: number;
      readonly id: string;
      readonly event: GoldenEvent | null;
    }
  | (GoldenQuery & { readonly op: "query" });

export interface ArrivalsCase {
  readonly view: GoldenView;
  readonly ops: readonly GoldenOperation[];
}

export type GoldenCase = WindowsCase | ArrivalsCase;

interface ReviverContext {
  readonly source?: string;
}

/** Integers past 2^53 come out as bigints, so that none loses its last digits. */
export async function readGoldenFile(path: string): Promise<readonly GoldenCase[]> {
  const text = await readFile(path, "utf8");
  const parse = JSON.parse as (
    text: string,
    reviver: (key: string, value: unknown, context: ReviverContext) => unknown,
  ) => unknown;
  return parse(text, (_key, value, { source }) => {
    const isLarge = typeof value === "number" && !Number.isSafeInteger(value);
    return isLarge && source !== undefined && /^-?\d+$/.test(source) ? BigInt(source) : value;
  }) as readonly GoldenCase[];
}
