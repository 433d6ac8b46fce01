/** What a case of the store contract is, and what all of them do with a store. */

import type { OnlineStore, StoreReadOptions, StoreWrite } from "../online-store.ts";
import { expectEqual } from "./expect.ts";

/** The parts that a case may leave a store out for. */
export interface CaseStores {
  readonly store: OnlineStore;
  readonly failing: OnlineStore | string;
}

export interface CaseContext extends CaseStores {
  /** A key that no other case has. */
  key(name: string): string;
}

export interface StoreCase {
  readonly name: string;
  /** Why a store is left out; null for one that is not. Left out itself: no store is. */
  skip?(stores: CaseStores): string | null;
  run(context: CaseContext): Promise<void>;
}

/** Each byte once, in order. */
export const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);

/** Larger values are not made, whatever a store may take: they would be all that memory holds. */
const largestBytesMax = 64 * 2 ** 20;

/** More keys are not read at once, whatever a trip may take. */
const keysPerTripTriedMax = 10_000;

/** For a case that goes to the limit of a value's size. */
export function skipWithoutLimit({ store }: CaseStores): string | null {
  const { valueBytesMax } = store.capabilities;
  if (valueBytesMax <= largestBytesMax) return null;
  return `values past ${largestBytesMax} bytes are not tried`;
}

/** How many keys take one trip, and fill it where that can be tried. */
export function keysOfOneTrip(store: OnlineStore): number {
  return Math.min(store.capabilities.keysPerTripMax, keysPerTripTriedMax);
}

/** Bytes without a short period, so that parts in another order are other bytes. */
export function patternOf(sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let i = 0; i < sizeBytes; i++) bytes[i] = (i * 31 + (i >>> 8) * 7 + (i >>> 16)) & 255;
  return bytes;
}

/** Writes that must all be applied. */
export async function writeAll(store: OnlineStore, writes: readonly StoreWrite[]): Promise<void> {
  const applied = await store.write(writes);
  expectEqual(
    "whether each write was applied",
    applied,
    writes.map(() => true),
  );
}

export async function readBytes(
  store: OnlineStore,
  keys: readonly string[],
  options: StoreReadOptions = {},
): Promise<(Uint8Array | null)[]> {
  const values = await store.readMany(keys, options);
  return values.map((value) => value && value.bytes);
}

/** The version of a key that exists. */
export async function versionOf(store: OnlineStore, key: string): Promise<string> {
  const [value] = await store.readMany([key]);
  const version = value?.version;
  if (typeof version === "string") return version;
  throw new Error(`The version of a key that exists: expected text, met ${String(version)}`);
}
