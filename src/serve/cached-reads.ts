/** The serving cache as one request uses it: taken from before its reads, added to after them. */

import type { ViewRead } from "./named-reads.ts";
import { tombstoneKeys } from "../tile/keys.ts";
import type { CacheableRead, CacheTicket, ServingCache } from "./serving-cache.ts";
import type { ViewAnswer } from "./view-answer.ts";

export interface CacheUse {
  readonly cache: ServingCache;
  /** Whether answers may be taken from it, and be kept in it. */
  readonly read: boolean;
  readonly write: boolean;
}

/** A read that the cache was asked for. */
export interface CachedRead {
  /** Null where there is none: then it has to be read. */
  readonly answer: ViewAnswer | null;
  /** Null where an answer is not to be kept. */
  readonly ticket: CacheTicket | null;
}

const uncached: CachedRead = { answer: null, ticket: null };

/** One a read, in their order. */
export function takeCached(
  reads: readonly ViewRead[],
  nowMs: number,
  use: CacheUse | undefined,
): readonly CachedRead[] {
  if (use === undefined) return reads.map(() => uncached);
  return reads.map((read) => {
    if (!isCacheable(read)) return uncached;
    const answer = use.read ? use.cache.take(read, nowMs) : null;
    const ticket = use.write && answer === null ? use.cache.ticket(read) : null;
    return { answer, ticket };
  });
}

/** @param read - What the reads came to, in their order, with those that were cached. */
export function keepRead(
  reads: readonly ViewRead[],
  read: {
    readonly cached: readonly CachedRead[];
    readonly answers: readonly ViewAnswer[];
    readonly nowMs: number;
    readonly freshUntilMs: number;
  },
  { cache }: CacheUse,
): void {
  const { cached, answers, nowMs, freshUntilMs } = read;
  for (const { view, seen } of answers) {
    if (seen !== null && view.cacheMaxAgeMs !== null) cache.meet(view, seen.cut);
  }
  answers.forEach((answer, i) => {
    const ticket = cached[i]?.ticket ?? null;
    const { view, entity = null } = reads[i] as ViewRead;
    if (ticket === null || entity === null) return;
    const tombstones = tombstoneKeys(view, entity);
    cache.keep(ticket, { answer, nowMs, freshUntilMs, tombstones });
  });
}

function isCacheable(read: ViewRead): read is CacheableRead {
  return read.view.cacheMaxAgeMs !== null && read.entity !== null;
}
