/** A state table in memory. */

import type { StateRange, StateTable } from "./state-table.ts";

export class MemoryStateTable implements StateTable {
  readonly #entries = new Map<string, unknown>();

  get(key: string): Promise<unknown> {
    return Promise.resolve(structuredClone(this.#entries.get(key)));
  }

  list(
    prefix: string,
    { afterKey = "", countMax = Infinity }: StateRange = {},
  ): Promise<ReadonlyMap<string, unknown>> {
    const found = [...this.#entries].filter(([key]) => key.startsWith(prefix) && key > afterKey);
    found.sort(([a], [b]) => (a < b ? -1 : 1));
    return Promise.resolve(structuredClone(new Map(found.slice(0, countMax))));
  }

  put(entries: Readonly<Record<string, unknown>>): Promise<void> {
    for (const [key, value] of Object.entries(structuredClone(entries))) {
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, value);
    }
    return Promise.resolve();
  }
}
