/** The admin routes' bytes: batch records and rows of the log, as msgpack arrays. */

import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";
import type {
  AppendRowsRequest,
  PendingDeletion,
  PublishRequest,
} from "../compact/compaction-api.ts";
import type { LogRow } from "../store/event-log.ts";
import { packMsgpack, unpackMsgpack } from "../tile/msgpack.ts";
import { parseEnvelope } from "./parse-envelope.ts";

export const msgpackType = "application/msgpack";

const count = z.number("a number").check(z.int("an integer"));
const bytes = z.instanceof(Uint8Array, { error: "bytes" });

const publishSchema = z.tuple(
  [
    z.string("a string"),
    count,
    z.array(z.tuple([z.string("a string"), bytes], "a pair"), "an array"),
  ],
  "an array of three",
);

const appendRowsSchema = z.tuple(
  [
    z.string("a string"),
    z.string("a string"),
    z.array(z.tuple([z.string("a string"), count, bytes], "a triple"), "an array"),
  ],
  "an array of three",
);

const scalar = z.union([z.string(), z.number(), z.bigint(), z.boolean()], "a join key");
const deletionsSchema = z.array(
  z.tuple([z.string("a string"), z.string("a string"), z.array(scalar, "an array")], "a triple"),
  "an array",
);

const logPageSchema = z.array(
  z.tuple(
    [count, count, count, z.string("a string"), z.string("a string"), count, bytes],
    "an array of seven",
  ),
  "an array",
);

/** `[view, fence, [[entity, bytes], …]]` */
export function writePublish({ view, fence, records }: PublishRequest): Uint8Array<ArrayBuffer> {
  return packMsgpack([view, fence, records.map(({ entity, bytes }) => [entity, bytes])]);
}

/** @throws FeatureError INVALID_REQUEST when it is not what `writePublish` wrote. */
export function readPublish(body: Uint8Array): PublishRequest {
  const [view, fence, records] = parseEnvelope(publishSchema, unpackEnvelope(body));
  return { view, fence, records: records.map(([entity, bytes]) => ({ entity, bytes })) };
}

/** `[shard, source, [[id, timestampMs, body], …]]` */
export function writeAppendRows(request: AppendRowsRequest): Uint8Array<ArrayBuffer> {
  const rows = request.rows.map(({ id, timestampMs, body }) => [id, timestampMs, body]);
  return packMsgpack([request.shard, request.source, rows]);
}

/** @throws FeatureError INVALID_REQUEST when it is not what `writeAppendRows` wrote. */
export function readAppendRows(request: Uint8Array): AppendRowsRequest {
  const [shard, source, rows] = parseEnvelope(appendRowsSchema, unpackEnvelope(request));
  return {
    shard,
    source,
    rows: rows.map(([id, timestampMs, body]) => ({ id, timestampMs, body })),
  };
}

/** `[[name, entity, [join key, …]], …]` */
export function writeDeletions(deletions: readonly PendingDeletion[]): Uint8Array<ArrayBuffer> {
  return packMsgpack(deletions.map(({ name, entity, joinKeys }) => [name, entity, joinKeys]));
}

/** @throws FeatureError INVALID_REQUEST when it is not what `writeDeletions` wrote. */
export function readDeletions(body: Uint8Array): readonly PendingDeletion[] {
  return parseEnvelope(deletionsSchema, unpackEnvelope(body)).map(([name, entity, joinKeys]) => {
    return { name, entity, joinKeys };
  });
}

/** `[[seq, epoch, arrivedAtMs, source, id, timestampMs, body], …]` */
export function writeLogPage(rows: readonly LogRow[]): Uint8Array<ArrayBuffer> {
  return packMsgpack(
    rows.map(({ seq, epoch, arrivedAtMs, source, id, timestampMs, body }) => {
      return [seq, epoch, arrivedAtMs, source, id, timestampMs, body];
    }),
  );
}

/** @throws FeatureError INVALID_REQUEST when it is not what `writeLogPage` wrote. */
export function readLogPage(page: Uint8Array): readonly LogRow[] {
  return parseEnvelope(logPageSchema, unpackEnvelope(page)).map(
    ([seq, epoch, arrivedAtMs, source, id, timestampMs, body]) => {
      return { seq, epoch, arrivedAtMs, source, id, timestampMs, body };
    },
  );
}

/** @throws FeatureError INVALID_REQUEST for bytes that are not msgpack. */
export function unpackEnvelope(body: Uint8Array): unknown {
  try {
    return unpackMsgpack(body);
  } catch (cause) {
    throw new FeatureError("INVALID_REQUEST", "Cannot read request: its body is not msgpack", {
      cause,
    });
  }
}
