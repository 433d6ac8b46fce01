/**
 * What is told of a request once it is over: one plain record, of which metrics, log lines, spans
 * and `Server-Timing` are made. No key, no value and no text of an error has a place in it.
 */

import type { ErrorCode } from "../core/errors.ts";

/** A stretch of time on the observation's timer, in milliseconds. */
export interface Stretch {
  readonly startMs: number;
  readonly endMs: number;
}

export type PhaseName = "store" | "combine" | "transform" | "encode";

export interface Phase extends Stretch {
  readonly name: PhaseName;
}

/** Which records a home has; shared where one store has several kinds. */
export type HomeName = "batch" | "stream" | "region" | "shared";

/** What a request waited for one home. */
export interface StoreTrip extends Stretch {
  readonly home: HomeName;
  /** The name that the store's adapter gives itself; null where it gives none. */
  readonly store: string | null;
  readonly callCount: number;
  readonly keyCount: number;
  readonly sizeBytes: number;
  readonly outcome: "answered" | "stale" | "failed";
}

export interface RequestFailure {
  readonly code: ErrorCode;
  /** The class of the error and of what caused it, as "FeatureError/TypeError". */
  readonly errorClass: string;
}

export interface RequestSummary extends Stretch {
  readonly method: string;
  /** The pattern that matched, as `/api/v1/feature-service/get-features`; "other" for none. */
  readonly route: string;
  readonly status: number;
  /** Names of definitions; "other" where the request is about none. */
  readonly workspace: string;
  readonly service: string;
  /** Null where nobody was recognised. */
  readonly principalId: string | null;
  readonly requestId: string | null;
  /** As the request carries them, in any shape. */
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  /** Vectors or records; 0 where there is no such thing. */
  readonly rowCount: number;
  readonly trips: readonly StoreTrip[];
  readonly phases: readonly Phase[];
  /** What it was refused or failed for, or what failed while it was answered all the same. */
  readonly failure: RequestFailure | null;
}
