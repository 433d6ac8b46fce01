/**
 * Values larger than a store takes, over that store. A small value is kept under its key; a large
 * one as a head under its key, and parts under keys of their own:
 *
 *   key            the value, or the name and count of its parts
 *   key#name#0     its parts, as large as the store takes
 *   key#name#1
 *
 * Parts are written first, under a name that no other write has, then the head, under the caller's
 * guard: so a write is as atomic as one of the store, and no reader meets the parts of two values.
 * What the head replaced is deleted last. A writer that stops in between, one that does not learn
 * whether its head was written, and one of two unguarded writers of a key at once leave parts that
 * no head names: they take room, and are never read.
 */

import { FeatureError, assert } from "../core/errors.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "./online-store.ts";
import { refuseWrites } from "./refuse-writes.ts";
import { isLarge, joinParts, readHead, writeLarge, writeSmall } from "./parted-head.ts";
import type { LargeHead, Parts } from "./parted-head.ts";

export interface PartedStoreOptions {
  /** A name that no other call answered: at most 22 letters, digits, `-` and `_`. */
  randomName(): string;
  /** Bytes of the largest value; 25 MiB if left out. */
  readonly valueBytesMax?: number;
}

/** A write on its way: what its head holds, and which parts come with it. */
interface PartedWrite {
  readonly key: string;
  readonly head: Uint8Array | null;
  readonly parts: readonly StoreWrite[];
  /** As the store below gave it out. */
  readonly expectedVersion: string | null | undefined;
  /** The parts that the expected version told of. */
  readonly replaced: Parts;
}

const noParts: Parts = { name: "", count: 0 };
const namePattern = /^[\w-]{1,22}$/;
/** Of `#`, the longest name, `#` and the number of a part. */
const keySuffixBytesMax = 32;
/** A value that is replaced as often while it is read is one that cannot be read now. */
const readAttemptsMax = 10;

export class PartedStore implements OnlineStore {
  readonly capabilities: StoreCapabilities;
  readonly #inner: OnlineStore;
  readonly #options: PartedStoreOptions;

  constructor(inner: OnlineStore, options: PartedStoreOptions) {
    this.#inner = inner;
    this.#options = options;
    this.capabilities = {
      ...inner.capabilities,
      keyBytesMax: inner.capabilities.keyBytesMax - keySuffixBytesMax,
      valueBytesMax: options.valueBytesMax ?? 25 * 2 ** 20,
    };
  }

  /**
   * One round to the store, and a second one where a value is larger than the store takes. A value
   * that is replaced in between is read again; one that always is rejects, retryable.
   */
  async readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    const found = new Map<string, StoredValue | null>();
    let wanted = [...new Set(keys)];
    for (let attempt = 0; attempt < readAttemptsMax; attempt++) {
      const large = await this.#readHeadsInto(found, wanted, options);
      if (large.size > 0) await this.#readPartsInto(found, large, options);
      wanted = wanted.filter((key) => !found.has(key));
      if (wanted.length === 0) return keys.map((key) => found.get(key) ?? null);
    }
    throw new FeatureError(
      "STORE_UNAVAILABLE",
      "Cannot read a large value: it was replaced each time that it was read",
      { retryable: true },
    );
  }

  /**
   * The version tells what a guarded write replaces. An unguarded one of any size first reads what
   * is there, which may be large: one round more, of as many keys.
   */
  async write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    refuseWrites(writes, this.capabilities);
    const possible = writes.flatMap((write) => this.#prepare(write) ?? []);
    const unguarded = possible.filter(({ expectedVersion }) => expectedVersion === undefined);
    const replaced = await this.#readReplaced(unguarded.map(({ key }) => key));
    await this.#writeInner(possible.flatMap(({ parts }) => parts));
    const answers = await this.#inner.write(possible.map(headWrite));
    const applied = new Set(possible.filter((_, i) => answers[i] === true).map(({ key }) => key));
    const unnamed = possible.flatMap((write) => {
      if (!applied.has(write.key)) return write.parts.map(({ key }) => key);
      return partKeys(write.key, replaced.get(write.key) ?? write.replaced);
    });
    // The writes are done, or refused: parts that could not be deleted change nothing about that.
    await Promise.allSettled([this.#writeInner(unnamed.map((key) => ({ key, bytes: null })))]);
    return writes.map(({ key }) => applied.has(key));
  }

  /** Null where the expected version is none that this store gave out. */
  #prepare({ key, bytes, expectedVersion }: StoreWrite): PartedWrite | null {
    if (typeof expectedVersion !== "string") {
      return { key, ...this.#split(key, bytes), expectedVersion, replaced: noParts };
    }
    const [, version, name, count] = /^(.*)#([^#]*)#(\d+)$/s.exec(expectedVersion) ?? [];
    if (version === undefined || name === undefined) return null;
    const replaced = { name, count: Number(count) };
    return { key, ...this.#split(key, bytes), expectedVersion: version, replaced };
  }

  #split(key: string, bytes: Uint8Array | null): Pick<PartedWrite, "head" | "parts"> {
    if (bytes === null) return { head: null, parts: [] };
    const partBytes = this.#inner.capabilities.valueBytesMax;
    if (bytes.length < partBytes) return { head: writeSmall(bytes), parts: [] };
    const name = this.#options.randomName();
    assert(namePattern.test(name), "a name of parts is short and plain");
    const count = Math.ceil(bytes.length / partBytes);
    const parts = partKeys(key, { name, count }).map((partKey, i) => {
      return { key: partKey, bytes: bytes.subarray(i * partBytes, (i + 1) * partBytes) };
    });
    return { head: writeLarge({ name, count, sizeBytes: bytes.length }), parts };
  }

  async #readReplaced(keys: readonly string[]): Promise<ReadonlyMap<string, Parts>> {
    return keys.length === 0 ? new Map() : this.#readHeadsInto(new Map(), keys, {});
  }

  /** Answers the heads of large values; all others go into `found`. */
  async #readHeadsInto(
    found: Map<string, StoredValue | null>,
    keys: readonly string[],
    options: StoreReadOptions,
  ): Promise<Map<string, LargeHead>> {
    const values = await this.#inner.readMany(keys, options);
    const large = new Map<string, LargeHead>();
    keys.forEach((key, i) => {
      const value = values[i] ?? null;
      const head = value && readHead(value);
      if (isLarge(head)) large.set(key, head);
      else found.set(key, head && { ...head, version: versionOf(head.version, noParts) });
    });
    return large;
  }

  /** Leaves out values of which a part is missing. */
  async #readPartsInto(
    found: Map<string, StoredValue | null>,
    heads: ReadonlyMap<string, LargeHead>,
    options: StoreReadOptions,
  ): Promise<void> {
    const keys = [...heads].flatMap(([key, head]) => partKeys(key, head));
    const parts = await this.#inner.readMany(keys, options);
    let start = 0;
    for (const [key, head] of heads) {
      const bytes = joinParts(parts.slice(start, start + head.count), head.sizeBytes);
      if (bytes !== null) found.set(key, { bytes, version: versionOf(head.version, head) });
      start += head.count;
    }
  }

  async #writeInner(writes: readonly StoreWrite[]): Promise<void> {
    if (writes.length > 0) await this.#inner.write(writes);
  }
}

function headWrite({ key, head, expectedVersion }: PartedWrite): StoreWrite {
  const write = { key, bytes: head };
  return expectedVersion === undefined ? write : { ...write, expectedVersion };
}

function partKeys(key: string, { name, count }: Parts): string[] {
  return Array.from({ length: count }, (_, i) => `${key}#${name}#${i}`);
}

/** The version of the head, and which parts it has: what a guarded write replaces. */
function versionOf(version: string | null, { name, count }: Parts): string | null {
  return version === null ? null : `${version}#${name}#${count}`;
}
