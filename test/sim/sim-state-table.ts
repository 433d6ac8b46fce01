/** A state table that keeps what it is given as it is: frozen, so that nobody changes it. */

import type { StateRange, StateTable } from "../../src/store/state-table.ts";

export class SimStateTable implements StateTable {
  readonly #entries = new Map<string, unknown>();

  get(key: string): Promise<unknown> {
    return Promise.resolve(this.#entries.get(key));
  }

  list(
    prefix: string,
    { afterKey = "", countMax = Infinity }: StateRange = {},
  ): Promise<ReadonlyMap<string, unknown>> {
    const found = [...this.#entries].filter(([key]) => key.startsWith(prefix) && key > afterKey);
    found.sort(([a], [b]) => (a < b ? -1 : 1));
    return Promise.resolve(new Map(found.slice(0, countMax)));
  }

  put(entries: Readonly<Record<string, unknown>>): Promise<void> {
    for (const [key, value] of Object.entries(entries)) {
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, Object.freeze(value));
    }
    return Promise.resolve();
  }

  /** Everything in it, as text. */
  dump(): string {
    return JSON.stringify([...this.#entries]);
  }
}
