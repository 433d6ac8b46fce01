/** What regions read of their home, as msgpack arrays. */

import * as z from "zod/mini";
import type { FeedItem } from "../compact/compaction-api.ts";
import type { FeedEntry } from "../compact/publish-feed.ts";
import type { FollowAnswer } from "../region/region-source.ts";
import type { Epoch, LogRow } from "../store/event-log.ts";
import { packMsgpack } from "../tile/msgpack.ts";
import { unpackEnvelope } from "./admin-codec.ts";
import { parseEnvelope } from "./parse-envelope.ts";

const text = z.string("a string");
const integer = z.number("a number").check(z.int("an integer"));
const number = z.number("a number");
const bytes = z.instanceof(Uint8Array, { error: "bytes" });
const texts = z.array(text, "an array");

const row = z.tuple([integer, integer, integer, text, text, integer, bytes], "an array of seven");
const epoch = z.tuple([integer, integer, z.nullable(texts)], "a triple");
const followSchema = z.tuple(
  [
    integer,
    z.boolean("a boolean"),
    integer,
    integer,
    z.array(row, "an array"),
    z.array(epoch, "an array"),
    z.array(z.tuple([text, integer], "a pair"), "an array"),
  ],
  "an array of seven",
);

const entry = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("publish"),
    fingerprint: text,
    fence: integer,
    cut: integer,
    collectedCut: integer,
    collectedWatermarkMs: z.union([number, z.literal(-Infinity)]),
    entities: texts,
  }),
  z.object({ kind: z.literal("finish"), fingerprint: text, fence: integer, cut: integer }),
  z.object({ kind: z.literal("bury"), tombstone: text }),
]);
const feedSchema = z.array(
  z.tuple([integer, entry, z.array(z.tuple([text, bytes], "a pair"), "an array")], "a triple"),
  "an array",
);

/** `[now, is last, forgotten place, forgotten epoch, rows, epochs, view floors]` */
export function writeFollowAnswer(answer: FollowAnswer): Uint8Array<ArrayBuffer> {
  const { nowMs, isLast, forgotten, rows, epochs, viewFloors } = answer;
  return packMsgpack([
    nowMs,
    isLast,
    forgotten.seq,
    forgotten.epoch,
    rows.map((each) => [
      each.seq,
      each.epoch,
      each.arrivedAtMs,
      each.source,
      each.id,
      each.timestampMs,
      each.body,
    ]),
    epochs.map((each) => [each.epoch, each.startedAtMs, each.cutOf]),
    [...viewFloors],
  ]);
}

/** @throws FeatureError INVALID_REQUEST when it is not what `writeFollowAnswer` wrote. */
export function readFollowAnswer(body: Uint8Array): FollowAnswer {
  const [nowMs, isLast, seq, forgottenEpoch, rows, epochs, viewFloors] = parseEnvelope(
    followSchema,
    unpackEnvelope(body),
  );
  return {
    nowMs,
    isLast,
    forgotten: { seq, epoch: forgottenEpoch },
    rows: rows.map(rowOf),
    epochs: epochs.map(([each, startedAtMs, cutOf]): Epoch => ({
      epoch: each,
      startedAtMs,
      cutOf,
    })),
    viewFloors: new Map(viewFloors),
  };
}

/** `[[place, entry, [[entity, bytes], …]], …]` */
export function writeFeedItems(items: readonly FeedItem[]): Uint8Array<ArrayBuffer> {
  return packMsgpack(
    items.map(({ seq, entry: told, records }) => [
      seq,
      told,
      records.map((record) => [record.entity, record.bytes]),
    ]),
  );
}

/** @throws FeatureError INVALID_REQUEST when it is not what `writeFeedItems` wrote. */
export function readFeedItems(body: Uint8Array): readonly FeedItem[] {
  return parseEnvelope(feedSchema, unpackEnvelope(body)).map(([seq, told, records]) => ({
    seq,
    entry: told as FeedEntry,
    records: records.map(([entity, record]) => ({ entity, bytes: record })),
  }));
}

function rowOf(row: readonly [number, number, number, string, string, number, Uint8Array]): LogRow {
  const [seq, rowEpoch, arrivedAtMs, source, id, timestampMs, body] = row;
  return { seq, epoch: rowEpoch, arrivedAtMs, source, id, timestampMs, body };
}
