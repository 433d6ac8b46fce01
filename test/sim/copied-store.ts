/**
 * A store with copies in other regions. The original is consistent; a region reads a copy that lags
 * behind it, through one of two caches that remember values and absences for a while.
 */

import type { StoredValue, StoreWrite } from "../../src/store/online-store.ts";
import type { Random } from "../builders/random.ts";
import type { Scheduler } from "./scheduler.ts";

interface Version {
  readonly bytes: Uint8Array | null;
  readonly number: number;
  /** By region, from when on it is there. */
  readonly visibleMs: readonly number[];
}

export interface CopyBounds {
  readonly lagMsMax: number;
  readonly cacheMsMax: number;
  /** Chance that a copy, or what a cache holds, is older than that by up to `staleMsMax`. */
  readonly staleChance: number;
  readonly staleMsMax: number;
}

const cachesOfRegion = 2;

export class CopiedStore {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #bounds: CopyBounds;
  readonly #regionCount: number;
  readonly #versions = new Map<string, Version[]>();
  readonly #caches = new Map<
    string,
    { readonly version: Version | null; readonly untilMs: number }
  >();
  #writes = 0;
  /** Off while everything settles. */
  isFaulty = true;

  constructor(parts: {
    readonly scheduler: Scheduler;
    readonly random: Random;
    readonly bounds: CopyBounds;
    readonly regionCount: number;
  }) {
    this.#scheduler = parts.scheduler;
    this.#random = parts.random;
    this.#bounds = parts.bounds;
    this.#regionCount = parts.regionCount;
  }

  /** What a reader in a region may still meet was there this long ago, at most. */
  get stalenessMsMax(): number {
    return this.#bounds.lagMsMax + this.#bounds.cacheMsMax;
  }

  read(keys: readonly string[]): (StoredValue | null)[] {
    return keys.map((key) => storedValue(this.#versions.get(key)?.at(-1) ?? null));
  }

  readCopy(region: number, keys: readonly string[]): (StoredValue | null)[] {
    const cache = this.#random.integer(0, cachesOfRegion);
    return keys.map((key) => storedValue(this.#copy(region, cache, key)));
  }

  /** `isGuarded` tells whether the store looks at expected versions. */
  write(writes: readonly StoreWrite[], isGuarded: boolean): boolean[] {
    return writes.map(({ key, bytes, expectedVersion }) => {
      let versions = this.#versions.get(key);
      if (versions === undefined) this.#versions.set(key, (versions = []));
      const last = versions.at(-1);
      const current = last === undefined || last.bytes === null ? null : String(last.number);
      if (isGuarded && expectedVersion !== undefined && expectedVersion !== current) return false;
      this.#writes += 1;
      const visibleMs = Array.from({ length: this.#regionCount }, (_, region) =>
        Math.max(last?.visibleMs[region] ?? 0, this.#scheduler.nowMs + this.#lagMs()),
      );
      versions.push({
        bytes: bytes === null ? null : bytes.slice(),
        number: this.#writes,
        visibleMs,
      });
      return true;
    });
  }

  /** The newest values, by key. */
  *entries(): Generator<readonly [string, Uint8Array]> {
    for (const [key, versions] of this.#versions) {
      const bytes = versions.at(-1)?.bytes ?? null;
      if (bytes !== null) yield [key, bytes];
    }
  }

  #copy(region: number, cache: number, key: string): Version | null {
    const { nowMs } = this.#scheduler;
    const cacheKey = `${region} ${cache} ${key}`;
    const cached = this.#caches.get(cacheKey);
    if (cached !== undefined && cached.untilMs > nowMs) return cached.version;
    let version: Version | null = null;
    for (const each of this.#versions.get(key) ?? []) {
      if ((each.visibleMs[region] as number) <= nowMs) version = each;
    }
    const { cacheMsMax } = this.#bounds;
    const cacheMs = this.#random.next() * cacheMsMax + this.#staleMs();
    this.#caches.set(cacheKey, { version, untilMs: nowMs + cacheMs });
    return version;
  }

  #lagMs(): number {
    return this.#random.next() * this.#bounds.lagMsMax + this.#staleMs();
  }

  #staleMs(): number {
    const { staleChance, staleMsMax } = this.#bounds;
    if (staleChance === 0 || !this.isFaulty || this.#random.next() >= staleChance) return 0;
    return this.#random.next() * staleMsMax;
  }
}

/** The bytes are the caller's own: nothing done to them reaches the store. */
function storedValue(version: Version | null): StoredValue | null {
  if (version === null || version.bytes === null) return null;
  return { bytes: version.bytes.slice(), version: String(version.number) };
}
