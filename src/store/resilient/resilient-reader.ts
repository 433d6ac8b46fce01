/**
 * Reads that a slow or failing store does not take down. At most two attempts are made for a read:
 *
 *   ask the primary ─┬─ answers ───────────────────────────────────────────────► answer
 *                    ├─ slow: ask the replica too, else the primary (hedges) ──► first to answer
 *                    └─ fails: ask the replica, else the primary (retries) ────► answer
 *
 * then the cache, then STORE_UNAVAILABLE. A reader that fails again and again is left alone by its
 * breaker, and the other one is asked first. Hedges and retries have budgets each; going over to the
 * replica has none, since it is asked once for a read whatever the primary does.
 *
 * Reads share counts and never a promise: on some hosts a request must not wait for another one's.
 */

import type { Clock } from "../../core/clock.ts";
import { FeatureError, assert } from "../../core/errors.ts";
import type { RecordReader, Staleness, StoreReadOptions, StoredValue } from "../online-store.ts";
import { CallBudget } from "./call-budget.ts";
import { CircuitBreaker } from "./circuit-breaker.ts";
import { linkAbort } from "./linked-abort.ts";
import { startAttempt } from "./read-attempt.ts";
import type { Attempt, AttemptParts, Outage, Outcome, Site, SiteRead } from "./read-attempt.ts";
import type { OnReaderEvent, ReaderEvent, ReaderSource } from "./reader-event.ts";
import type { RecordCache } from "./record-cache.ts";
import { resilienceDefaults } from "./resilience-options.ts";
import type { ResilienceOptions } from "./resilience-options.ts";
import { sleepUntilAborted } from "./sleep-until-aborted.ts";

/** A copy of the primary, as one in another region. */
export interface Replica {
  readonly reader: RecordReader;
  /** By how much it may be behind, which must be known: its answers say as of when they are. */
  readonly stalenessMsMax: number;
}

export interface ResilientParts {
  readonly primary: RecordReader;
  readonly replica?: Replica;
  /** For this reader alone. Left out: a read that no store answers fails. */
  readonly cache?: RecordCache;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly onEvent?: OnReaderEvent;
}

/**
 * A reader over a primary and what stands in for it. Answers that are not the primary's own are
 * told through `onStale`; those of the cache are, where all keys of the read are in it. A read that
 * is aborted ends at once, with what the cache has where it has everything.
 *
 * @example
 * const reader = resilientReader({ primary, cache: new RecordCache(), clock, random: Math.random });
 */
export function resilientReader(
  parts: ResilientParts,
  options: Partial<ResilienceOptions> = {},
): RecordReader {
  return new ResilientReader(parts, { ...resilienceDefaults, ...options });
}

class ResilientReader implements RecordReader {
  readonly #parts: ResilientParts;
  readonly #options: ResilienceOptions;
  readonly #attempts: AttemptParts;
  readonly #sites: readonly Site[];
  readonly #hedges: CallBudget;
  readonly #retries: CallBudget;

  constructor(parts: ResilientParts, options: ResilienceOptions) {
    const { attemptMsMax, hedgeShareMax, retryShareMax, savedCallsMax: savedMax } = options;
    const onEvent: OnReaderEvent = (event) => parts.onEvent?.(event);
    this.#parts = parts;
    this.#options = options;
    this.#attempts = { clock: parts.clock, attemptMsMax, onEvent };
    this.#sites = createSites(parts, options, onEvent);
    this.#hedges = new CallBudget({ share: hedgeShareMax, savedMax });
    this.#retries = new CallBudget({ share: retryShareMax, savedMax });
  }

  get capabilities(): RecordReader["capabilities"] {
    return this.#parts.primary.capabilities;
  }

  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    this.#hedges.earn();
    this.#retries.earn();
    const { signal, dispose } = linkAbort(options.signal);
    try {
      const outcome = await this.#ask({ keys, signal });
      if (!outcome.ok) return this.#readCache(keys, outcome, options);
      const { values, startedAtMs, staleness, source } = outcome;
      const asOfMs = Math.min(startedAtMs, staleness?.asOfMs ?? startedAtMs);
      keys.forEach((key, i) => this.#parts.cache?.keep(key, values[i] ?? null, asOfMs));
      if (staleness !== null) this.#tellStale(source, staleness, options);
      return values;
    } finally {
      dispose();
    }
  }

  async #ask(read: SiteRead): Promise<Outcome> {
    const first = read.signal.aborted ? null : this.#start(this.#sites, read);
    if (first === null) return unavailable(read.signal);
    const hedge = (await this.#isSlow(first, read)) ? this.#hedge(first, read) : null;
    const outcome = await (hedge === null ? first.outcome : firstAnswer(first, hedge));
    if (outcome.ok || hedge !== null || read.signal.aborted) return outcome;
    const second = await this.#askAgain(first, outcome, read);
    return second === null ? outcome : second.outcome;
  }

  async #isSlow(attempt: Attempt, { signal }: SiteRead): Promise<boolean> {
    const { hedgeAfterMs } = this.#options;
    const isSlow = sleepUntilAborted(this.#parts.clock, hedgeAfterMs, signal);
    return Promise.race([attempt.outcome.then(() => false), isSlow]);
  }

  #hedge(first: Attempt, read: SiteRead): Attempt | null {
    if (!this.#hedges.spend()) return null;
    return this.#start([...this.#othersThan(first.site), first.site], read, "hedge");
  }

  async #askAgain(first: Attempt, outage: Outage, read: SiteRead): Promise<Attempt | null> {
    const failover = this.#start(this.#othersThan(first.site), read, "failover");
    if (failover !== null) return failover;
    if (!outage.error.retryable || !this.#retries.spend()) return null;
    const { clock, random } = this.#parts;
    const delayMs = random() * this.#options.retryDelayMsMax;
    if (!(await sleepUntilAborted(clock, delayMs, read.signal))) return null;
    return this.#start([first.site], read, "retry");
  }

  /** At the first of the sites whose breaker lets it be asked. */
  #start(
    sites: readonly Site[],
    read: SiteRead,
    kind: ReaderEvent["kind"] | null = null,
  ): Attempt | null {
    for (const site of sites) {
      const attempt = startAttempt(site, read, this.#attempts);
      if (attempt === null) continue;
      if (kind !== null) this.#attempts.onEvent({ kind, source: site.source });
      return attempt;
    }
    return null;
  }

  #othersThan(site: Site): readonly Site[] {
    return this.#sites.filter((other) => other !== site);
  }

  #readCache(
    keys: readonly string[],
    { error }: Outage,
    options: StoreReadOptions,
  ): readonly (StoredValue | null)[] {
    const { cache, clock } = this.#parts;
    const cached = cache?.readAll(keys, clock.now()) ?? null;
    if (cached === null) throw error;
    const { values, asOfMs } = cached;
    const reason = "No store answered; this is what a cache held";
    this.#tellStale("cache", { asOfMs, reason }, options);
    return values;
  }

  #tellStale(source: ReaderSource, staleness: Staleness, { onStale }: StoreReadOptions): void {
    this.#attempts.onEvent({ kind: "stale", source });
    onStale?.(staleness);
  }
}

function createSites(
  { primary, replica }: ResilientParts,
  { failuresInRowMax, openMs, attemptMsMax }: ResilienceOptions,
  onEvent: OnReaderEvent,
): readonly Site[] {
  const site = (source: ReaderSource, reader: RecordReader, stalenessMsMax: number): Site => {
    const onChange = (kind: ReaderEvent["kind"]) => onEvent({ kind, source });
    // A probe tells of its end within its attempt's time, if it ever does.
    const probeMs = attemptMsMax + openMs;
    const breaker = new CircuitBreaker({ failuresInRowMax, openMs, probeMs, onChange });
    return { source, reader, breaker, stalenessMsMax };
  };
  if (replica === undefined) return [site("primary", primary, 0)];
  const { reader, stalenessMsMax } = replica;
  assert(Number.isFinite(stalenessMsMax), "a replica says by how much it may be behind");
  return [site("primary", primary, 0), site("replica", reader, stalenessMsMax)];
}

/** Of two attempts under way: a failure counts only where the other one fails as well. */
async function firstAnswer(one: Attempt, other: Attempt): Promise<Outcome> {
  const sooner = await Promise.race([one.outcome, other.outcome]);
  if (sooner.ok) return sooner;
  const both = await Promise.all([one.outcome, other.outcome]);
  return both.find(({ ok }) => ok) ?? sooner;
}

function unavailable(signal: AbortSignal): Outage {
  const state = signal.aborted ? "the read was aborted" : "no store has answered lately";
  const error = new FeatureError("STORE_UNAVAILABLE", `Cannot read records: ${state}`, {
    cause: signal.reason,
    retryable: true,
  });
  return { ok: false, error };
}
