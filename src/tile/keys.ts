/**
 * Names of records, computable from a request alone:
 *
 *   tm/{view}/{fingerprint}/{entity}/b      batch record
 *   tm/{view}/{fingerprint}/{entity}/s      stream record
 *   tm/gone/{digest}                        tombstone of an entity, in all its views
 *   tm/region                               what a region that follows another has of it
 *   tm/access                               its copy of the key book there
 *
 * The entity is its join keys in declared order, joined by `|`, with `%`, `|`, `/` and control
 * characters percent-escaped, so that no two entities share a name. A tombstone outlives its entity,
 * so its name is a digest, which tells nothing of it at a glance.
 */

import { FeatureError } from "../core/errors.ts";
import { digestText, hashText } from "../core/hash.ts";
import { limits } from "../core/limits.ts";
import type { Scalar } from "../core/value.ts";

export interface RecordOwner {
  readonly name: string;
  readonly fingerprint: string;
}

/** An entity definition as names need it. */
export interface NamedEntity {
  readonly name: string;
  readonly joinKeys: readonly unknown[];
}

const joiner = "|";

/** What the names of all tombstones begin with; the rest is the digest. */
export const tombstonePrefix = "tm/gone/";

export const regionKey = "tm/region";

export const accessKey = "tm/access";

const encoder = new TextEncoder();

/** The part of a record's name that is its entity. @throws FeatureError where it is too long. */
export function entityKey(joinKeyValues: readonly Scalar[]): string {
  const key = joinKeyValues.map((value) => escapeKeyPart(String(value))).join(joiner);
  // A UTF-16 unit takes at most three bytes: as a rule there is nothing to count.
  if (key.length * 3 > limits.entityKeyBytesMax && byteLength(key) > limits.entityKeyBytesMax) {
    throw new FeatureError(
      "INVALID_RECORD",
      `Cannot name an entity: its join keys take more than ${limits.entityKeyBytesMax} bytes, expected fewer`,
    );
  }
  return key;
}

export function batchKey(view: RecordOwner, entity: string): string {
  return `tm/${view.name}/${view.fingerprint}/${entity}/b`;
}

export function streamKey(view: RecordOwner, entity: string): string {
  return `tm/${view.name}/${view.fingerprint}/${entity}/s`;
}

/** The name of the tombstone of one entity, given as the `entityKey` of its own join keys. */
export function tombstoneKey({ name }: NamedEntity, key: string): string {
  return tombstonePrefix + digestText(`${name}/${key}`);
}

/** The names of all tombstones that hide a record, one for each entity of its view. */
export function tombstoneKeys(view: { readonly entities: readonly NamedEntity[] }, entity: string) {
  const parts = entity.split(joiner);
  let from = 0;
  return view.entities.map((each) => {
    const own = parts.slice(from, (from += each.joinKeys.length));
    return tombstoneKey(each, own.join(joiner));
  });
}

/** Which of `shardCount` homes has an entity's stream records: the same for all its views. */
export function shardOf(entity: string, shardCount: number): number {
  return hashText(entity, 0) % shardCount;
}

function escapeKeyPart(part: string): string {
  return part.replace(/[%|/\u0000-\u001f\u007f]/g, (unit) => {
    return `%${unit.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
