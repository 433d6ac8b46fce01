/** One call to one reader: within its time, through its breaker, with the age of what it answers. */

import type { Clock } from "../../core/clock.ts";
import { FeatureError } from "../../core/errors.ts";
import type { RecordReader, Staleness, StoredValue } from "../online-store.ts";
import type { CircuitBreaker, Permit } from "./circuit-breaker.ts";
import type { OnReaderEvent, ReaderSource } from "./reader-event.ts";
import { untilAborted } from "./until-aborted.ts";
import { withDeadline } from "./with-deadline.ts";

/** A reader with what is known about it. */
export interface Site {
  readonly source: ReaderSource;
  readonly reader: RecordReader;
  readonly breaker: CircuitBreaker;
  /** How old its answers may be; 0 for one that has every write. */
  readonly stalenessMsMax: number;
}

/** What a request asks, and the signal that ends all its attempts. */
export interface SiteRead {
  readonly keys: readonly string[];
  readonly signal: AbortSignal;
}

export interface AttemptParts {
  readonly clock: Clock;
  readonly attemptMsMax: number;
  readonly onEvent: OnReaderEvent;
}

export interface SiteAnswer {
  readonly ok: true;
  readonly source: ReaderSource;
  readonly values: readonly (StoredValue | null)[];
  readonly startedAtMs: number;
  readonly staleness: Staleness | null;
}

export interface Outage {
  readonly ok: false;
  readonly error: FeatureError;
}

export type Outcome = SiteAnswer | Outage;

export interface Attempt {
  readonly site: Site;
  /** Rejects only with errors other than STORE_UNAVAILABLE: asking elsewhere would not mend them. */
  readonly outcome: Promise<Outcome>;
}

/** Null where the site's breaker does not let it be asked. */
export function startAttempt(site: Site, read: SiteRead, parts: AttemptParts): Attempt | null {
  const startedAtMs = parts.clock.now();
  const permit = site.breaker.admit(startedAtMs);
  if (permit === null) return null;
  parts.onEvent({ kind: "attempt", source: site.source });
  return { site, outcome: settleAttempt({ site, permit, startedAtMs }, read, parts) };
}

interface StartedAttempt {
  readonly site: Site;
  readonly permit: Permit;
  readonly startedAtMs: number;
}

async function settleAttempt(
  { site, permit, startedAtMs }: StartedAttempt,
  read: SiteRead,
  { clock, attemptMsMax }: AttemptParts,
): Promise<Outcome> {
  const deadline = withDeadline(clock, attemptMsMax, read.signal);
  try {
    const { values, staleness } = await askSite(site, { ...read, signal: deadline.signal });
    site.breaker.settle(permit, "answered", clock.now());
    const age = olderOf(staleness, ageOf(site, startedAtMs));
    return { ok: true, source: site.source, values, startedAtMs, staleness: age };
  } catch (error) {
    const outage = outageOf(error, deadline.signal);
    const isCancelled = outage === null || read.signal.aborted;
    site.breaker.settle(permit, isCancelled ? "cancelled" : "failed", clock.now());
    if (outage === null) throw error;
    return { ok: false, error: outage };
  } finally {
    deadline.dispose();
  }
}

async function askSite(
  { reader }: Site,
  { keys, signal }: SiteRead,
): Promise<Pick<SiteAnswer, "values" | "staleness">> {
  let staleness: Staleness | null = null;
  const onStale = (told: Staleness) => (staleness = olderOf(staleness, told));
  const values = await untilAborted(reader.readMany(keys, { signal, onStale }), signal);
  return { values, staleness };
}

/** A copy that is behind by at most so much held at least what was written before the read less that. */
function ageOf({ stalenessMsMax }: Site, startedAtMs: number): Staleness | null {
  if (stalenessMsMax === 0) return null;
  return {
    asOfMs: startedAtMs - stalenessMsMax,
    reason: `A replica answered, which may be behind by up to ${stalenessMsMax} ms`,
  };
}

function olderOf(a: Staleness | null, b: Staleness | null): Staleness | null {
  if (a === null || b === null) return a ?? b;
  return a.asOfMs <= b.asOfMs ? a : b;
}

/** Null for an error that is no outage. What an aborted signal gives as its reason may be anything. */
function outageOf(error: unknown, signal: AbortSignal): FeatureError | null {
  const met = signal.aborted ? signal.reason : error;
  if (met instanceof FeatureError && met.code === "STORE_UNAVAILABLE") return met;
  if (!signal.aborted) return null;
  return new FeatureError("STORE_UNAVAILABLE", "Cannot read records: the read was aborted", {
    cause: met,
    retryable: true,
  });
}
