/** What an answer of a region is, given what was sent and acknowledged. */

export interface SentEvent {
  readonly id: string;
  /** Infinity before it was. */
  ackedAtMs: number;
}

export interface RegionAnswer {
  readonly result: { readonly features: readonly unknown[] };
  readonly metadata: {
    readonly features: readonly {
      readonly status: string;
      readonly details?: { readonly stale?: boolean; readonly asOf?: string };
    }[];
  };
}

export interface ReadVerdict {
  readonly isStale: boolean;
  /** No number, and a reason. */
  readonly isGap: boolean;
  /** What is wrong with it; null where nothing is. */
  readonly wrong: string | null;
}

/** From when on a region says that it is stale, and as much for a step of its follower under way. */
const freshMs = 15_000 + 6_000;

/**
 * @param events - Of the user, all that were sent until the answer came.
 * @param askedAtMs - By the clock that acknowledgements were read on.
 */
export function checkRead(
  { result, metadata }: RegionAnswer,
  events: readonly SentEvent[],
  askedAtMs: number,
): ReadVerdict {
  const [count, ids] = result.features as [string, readonly string[]];
  const [told] = metadata.features;
  const isStale = told?.details?.stale === true;
  if (told?.status === "UNKNOWN") return { isStale, isGap: true, wrong: null };
  const sinceMs = isStale ? Date.parse(told?.details?.asOf ?? "") : askedAtMs - freshMs;
  return { isStale, isGap: false, wrong: findWrong({ count, ids }, events, sinceMs) };
}

function findWrong(
  { count, ids }: { readonly count: string; readonly ids: readonly string[] },
  events: readonly SentEvent[],
  sinceMs: number,
): string | null {
  if (Number(count) !== ids.length) return `counts ${count} events and lists ${ids.length}`;
  const sent = new Set(events.map(({ id }) => id));
  const stranger = ids.find((id) => !sent.has(id));
  if (stranger !== undefined) return `lists ${stranger}, which was not sent`;
  const listed = new Set(ids);
  const missing = events.find(({ id, ackedAtMs }) => ackedAtMs < sinceMs && !listed.has(id));
  return missing === undefined ? null : `lacks ${missing.id}, acknowledged long before`;
}
