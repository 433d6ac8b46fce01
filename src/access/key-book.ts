/** The key book as it travels to regions: JSON of its records, without those that were revoked. */

import { CorruptRecordError, FeatureError } from "../core/errors.ts";
import { readKeyRecords } from "./key-record.ts";
import type { KeyRecord } from "./key-record.ts";

/** By id. */
export type KeyBook = ReadonlyMap<string, KeyRecord>;

export function keyBookOf(records: readonly KeyRecord[]): KeyBook {
  return new Map(records.map((record) => [record.id, record]));
}

export function writeKeyBook(records: readonly KeyRecord[]): Uint8Array<ArrayBuffer> {
  const live = records.filter(({ revokedAtMs }) => revokedAtMs === null);
  return new TextEncoder().encode(JSON.stringify(live)) as Uint8Array<ArrayBuffer>;
}

/** @throws CorruptRecordError for bytes that are not as they were written. */
export function readKeyBook(bytes: Uint8Array): KeyBook {
  try {
    return keyBookOf(readKeyRecords(JSON.parse(new TextDecoder().decode(bytes))));
  } catch (cause) {
    if (!(cause instanceof FeatureError) && !(cause instanceof SyntaxError)) throw cause;
    throw new CorruptRecordError("Cannot read key book: it is not one", { cause });
  }
}
