/**
 * Reads a request to ingest: records by source, where each source's were read from, and the name
 * that the sender gives the request.
 *
 *   { workspace_name, dry_run, records: { SOURCE: [{ record: {...}, place?: { file, row } }] },
 *     partitions?: { SOURCE: { partition: "3", from_offset: 1200, offsets?: [1200, 1201, 1205] } } }
 */

import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { IngestRequest } from "../ingest/ingest-records.ts";
import type { SentPartition } from "../ingest/read-partition.ts";
import type { IngestEntry } from "../ingest/validate-records.ts";
import {
  camelCaseFields,
  fieldOf,
  isJsonObject,
  jsonObject,
  parseEnvelope,
} from "./parse-envelope.ts";

// https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
export const idempotencyKeyHeader = "Idempotency-Key";

export interface WireIngest extends IngestRequest {
  readonly workspaceName: string;
}

export const requestTypes = z.object(
  {
    workspaceName: z.string("a string"),
    dryRun: z.boolean("true or false"),
    records: jsonObject,
    partitions: z.optional(jsonObject),
  },
  "an object",
);

const requiredFields = { workspaceName: "workspace_name", dryRun: "dry_run", records: "records" };

/** @throws FeatureError INVALID_REQUEST naming the field or the header that is wrong. */
export function readIngest(body: unknown, idempotencyKey: string | undefined): WireIngest {
  const fields = camelCaseFields(body);
  for (const [name, shown] of Object.entries(requiredFields)) {
    if (!isJsonObject(fields) || fieldOf(fields, name) !== undefined) continue;
    throw new FeatureError(
      "INVALID_REQUEST",
      `Required field \`${shown}\` is missing in the request`,
    );
  }
  const { workspaceName, dryRun, records, partitions = {} } = parseEnvelope(requestTypes, fields);
  return {
    workspaceName,
    dryRun,
    records: new Map(
      Object.entries(records).map(([name, rows]) => [name, readEntries(name, rows)]),
    ),
    partitions: new Map(
      Object.entries(partitions).map(([name, sent]) => [name, readSentPartition(name, sent)]),
    ),
    ...(idempotencyKey !== undefined && { idempotencyKey: readKey(idempotencyKey) }),
  };
}

export const placeTypes = z.object(
  { file: z.string("a string"), row: z.number("a number") },
  'an object of "file" and "row"',
);

/** Each entry's record, which is checked later one by one, and its place in a file if it has one. */
function readEntries(name: string, entries: unknown): readonly IngestEntry[] {
  if (Array.isArray(entries)) {
    return entries.map((entry: unknown) => {
      const place = fieldOf(entry, "place");
      return {
        record: fieldOf(entry, "record"),
        place: place === undefined ? null : parseEnvelope(placeTypes, place),
      };
    });
  }
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot read records of source ${JSON.stringify(name.slice(0, limits.nameLengthMax))}: they are not an array, expected an array of objects with a field "record"`,
  );
}

export const partitionTypes = z.object(
  {
    partition: z.string("a string"),
    fromOffset: z.number("an integer"),
    offsets: z.optional(z.array(z.number("an integer"), "an array of integers")),
  },
  'an object of "partition", "fromOffset" and "offsets"',
);

/** What its numbers may be is for ingest to say. Parsed within its place, for errors to name it. */
function readSentPartition(name: string, sent: unknown): SentPartition {
  const place = z.object({ partitions: z.object({ [name]: partitionTypes }) });
  const placed = { partitions: { [name]: camelCaseFields(sent) } };
  const { partition, fromOffset, offsets } = parseEnvelope(place, placed).partitions[
    name
  ] as z.output<typeof partitionTypes>;
  return { partition, fromOffset, ...(offsets !== undefined && { offsets }) };
}

const keyPattern = new RegExp(`^[ -~]{1,${limits.idempotencyKeyLengthMax}}$`);

/** A structured header has its text in quotes; a bare one is the same key. */
function readKey(text: string): string {
  const key = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (keyPattern.test(key)) return key;
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot read header "${idempotencyKeyHeader}": it is not a key, expected 1 to ${limits.idempotencyKeyLengthMax} printable ASCII characters`,
  );
}
