/** What a request gets from one view. */

import type { Value } from "../core/value.ts";
import type { Interval } from "../window/bounds.ts";
import type { Staleness } from "../store/online-store.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { ViewEvidence } from "./view-evidence.ts";

/** The cached ones are of values that a serving cache held. */
export type FeatureStatus =
  | "PRESENT"
  | "MISSING_DATA"
  | "TIME_OUT"
  | "UNKNOWN"
  | "CACHED_PRESENT"
  | "CACHED_MISSING_DATA"
  | "CACHED_UNKNOWN";

/**
 * Why a value is not what it should be; its text names no key and no value. The value is null then,
 * and its status TIME_OUT where the time was over, else UNKNOWN.
 */
export interface FeatureFault {
  readonly code:
    | "OVERFLOW"
    | "GAP"
    | "BEHIND"
    | "CORRUPT_RECORD"
    | "TRANSFORM_FAILED"
    | "TIME_OUT"
    | "TOO_LARGE"
    | "INVALID_ROW";
  readonly message: string;
}

export interface FeatureAnswer {
  readonly value: Value;
  readonly status: FeatureStatus;
  /** The lead, or of an attribute its row's instant; null where there is none, as for on-demand features. */
  readonly effectiveTimeMs: number | null;
  /** Set when the window was rounded to a coarser tile: the bounds that the value is exact for. */
  readonly degraded: Interval | null;
  readonly fault: FeatureFault | null;
}

/** What records come to. */
export interface CombinedView {
  readonly view: ViewDefinition;
  /** One a feature, in the order of `view.features`. */
  readonly features: readonly FeatureAnswer[];
  /**
   * Of a view with a history of its own: how many late events of the entity, before the watermark
   * and come after the compaction, wait for the next one. Null where there is no such thing.
   */
  readonly waitingCount: number | null;
}

export interface ViewAnswer extends CombinedView {
  /** What the answer was made of; null where there was nothing to tell. */
  readonly seen: SeenView | null;
  /** Of the batch record that went into it; left out where there was none. */
  readonly batchWatermarkMs?: number;
  /** Set where what went into it is known to be older than what was acknowledged. */
  readonly staleness: Staleness | null;
  /** When it was read, of an answer that the serving cache held; left out of any other. */
  readonly cachedAtMs?: number;
  /** Set where the request asks for it and records were read. */
  readonly evidence?: ViewEvidence;
}

/** How new the records of a view and entity were that someone has seen an answer of. */
export interface SeenView {
  /** Of the batch record; -1 where there was none. */
  readonly cut: number;
  /** By log shard, the place of the last event in the stream record. */
  readonly positions: ReadonlyMap<string, number>;
}

/** What answering cost, counted and not estimated. */
export interface ReadCost {
  readonly storeCalls: number;
  readonly storeBytes: number;
}
