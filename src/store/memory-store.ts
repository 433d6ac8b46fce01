/** An online store in memory: for tests, and the measure of what the others must do. */

import { FeatureError } from "../core/errors.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "./online-store.ts";
import { refuseWrites } from "./refuse-writes.ts";

export class MemoryStore implements OnlineStore {
  readonly capabilities: StoreCapabilities = {
    name: "memory",
    binary: true,
    keysPerTripMax: 10_000,
    compareAndSet: true,
    stalenessMsMax: 0,
    keyBytesMax: 2048,
    valueBytesMax: 25 * 2 ** 20,
  };
  readonly #values = new Map<string, { readonly bytes: Uint8Array; readonly version: number }>();
  #writes = 0;

  readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    if (options.signal?.aborted === true) {
      return Promise.reject(
        new FeatureError("STORE_UNAVAILABLE", "Cannot read memory store: the read was aborted", {
          cause: options.signal.reason,
          retryable: true,
        }),
      );
    }
    return Promise.resolve(
      keys.map((key) => {
        const value = this.#values.get(key);
        return value === undefined
          ? null
          : { bytes: value.bytes.slice(), version: String(value.version) };
      }),
    );
  }

  write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    return new Promise((resolve) => {
      refuseWrites(writes, this.capabilities);
      resolve(writes.map((write) => this.#apply(write)));
    });
  }

  #apply({ key, bytes, expectedVersion }: StoreWrite): boolean {
    const current = this.#values.get(key);
    const version = current === undefined ? null : String(current.version);
    if (expectedVersion !== undefined && expectedVersion !== version) return false;
    this.#writes += 1;
    if (bytes === null) this.#values.delete(key);
    else this.#values.set(key, { bytes: bytes.slice(), version: this.#writes });
    return true;
  }
}
