/** A store in memory that takes tiny values, and logs which version of a key was there when. */

import { MemoryStore } from "../../src/store/memory-store.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";

export interface TinyStoreOptions {
  readonly valueBytesMax: number;
  /** Waited for before each call is carried out: where calls of several clients interleave. */
  readonly turn?: (call: string) => Promise<void>;
}

export class TinyStore implements OnlineStore {
  readonly capabilities: StoreCapabilities;
  readonly #memory = new MemoryStore();
  readonly #turn: (call: string) => Promise<void>;
  /** The version of a key from each of its writes on. */
  readonly #history = new Map<
    string,
    { readonly step: number; readonly version: string | null }[]
  >();
  /** Counts calls carried out. */
  step = 0;
  readonly reads: (readonly string[])[] = [];

  constructor({ valueBytesMax, turn = () => Promise.resolve() }: TinyStoreOptions) {
    this.capabilities = { ...this.#memory.capabilities, name: "tiny", valueBytesMax };
    this.#turn = turn;
  }

  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    await this.#turn(`read ${keys.join()}`);
    this.step += 1;
    this.reads.push(keys);
    return this.#memory.readMany(keys, options);
  }

  async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    await this.#turn(`write ${writes.map(({ key }) => key).join()}`);
    for (const { bytes } of writes) {
      if (bytes !== null && bytes.length > this.capabilities.valueBytesMax) {
        throw new Error("A tiny store was given a large value");
      }
    }
    this.step += 1;
    const applied = await this.#memory.write(writes);
    const values = await this.#memory.readMany(writes.map(({ key }) => key));
    writes.forEach(({ key }, i) => {
      const changes = this.#history.get(key) ?? [];
      changes.push({ step: this.step, version: values[i]?.version ?? null });
      this.#history.set(key, changes);
    });
    return applied;
  }

  /** The versions that a key had at some time from after one step until after another. */
  versionsBetween(key: string, from: number, until: number): Set<string | null> {
    const changes = [{ step: 0, version: null }, ...(this.#history.get(key) ?? [])];
    const before = changes.findLast(({ step }) => step <= from);
    const during = changes.filter(({ step }) => step > from && step <= until);
    return new Set([before, ...during].map((change) => change?.version ?? null));
  }

  /** The keys that hold a value now. */
  async keys(): Promise<string[]> {
    const known = [...this.#history.keys()];
    const values = await this.#memory.readMany(known);
    return known.filter((_, i) => values[i] !== null);
  }
}
