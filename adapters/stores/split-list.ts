/** A list in runs of at most so many entries: what one call to a store takes. */
export function splitList<Item>(items: readonly Item[], countMax: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / countMax) }, (_, i) =>
    items.slice(i * countMax, (i + 1) * countMax),
  );
}
