/** What was seen of entities, so that later reads of them are not answered anything older. */

import { clientLimits } from "./client-limits.ts";

/** `{view: [cut, {shard: place}]}`: how far an answer had come in every view. */
type Seen = Readonly<Record<string, readonly [number, Readonly<Record<string, number>>]>>;

/** The entity that was not read for longest is forgotten first. */
export class SeenTokens {
  readonly #tokens = new Map<string, string>();

  /** The token to send; empty where nothing was seen, which asks for a first one. */
  tokenOf(entity: string): string {
    return this.#tokens.get(entity) ?? "";
  }

  /** Answers may come in another order than they were asked for: what is kept never goes back. */
  keep(entity: string, token: string): void {
    const known = this.#tokens.get(entity);
    this.#tokens.delete(entity);
    this.#tokens.set(entity, known === undefined || known === token ? token : merge(known, token));
    if (this.#tokens.size <= clientLimits.seenEntitiesMax) return;
    const [oldest = ""] = this.#tokens.keys();
    this.#tokens.delete(oldest);
  }
}

/** A token that is as demanding as both. */
function merge(a: string, b: string): string {
  const merged = new Map(Object.entries(readToken(a)));
  for (const [view, [cut, places]] of Object.entries(readToken(b))) {
    const [otherCut, otherPlaces] = merged.get(view) ?? [cut, {}];
    merged.set(view, [Math.max(cut, otherCut), furthest(places, otherPlaces)]);
  }
  return btoa(JSON.stringify(Object.fromEntries(merged)));
}

function furthest(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const places = new Map(Object.entries(a));
  for (const [shard, place] of Object.entries(b)) {
    places.set(shard, Math.max(place, places.get(shard) ?? place));
  }
  return Object.fromEntries(places);
}

/** Names of views and shards are ASCII. */
function readToken(token: string): Seen {
  return JSON.parse(atob(token)) as Seen;
}
