/** Answers as MessagePack: the fields and shapes of JSON, with int64s and floats as what they are. */

import { MsgpackWriter } from "../../core/msgpack/msgpack-writer.ts";
import type { ServedFeature } from "../../serve/answer-service.ts";
import type { Json } from "../encode-value.ts";
import { servedValue, writeMetadata } from "../write-get-features.ts";
import type { Answer } from "../write-get-features.ts";
import { writeBatchMetadata } from "../write-get-features-batch.ts";
import { writeTyped } from "./typed-msgpack.ts";

/** The answer for one vector. */
export function writeMsgpack(
  features: readonly ServedFeature[],
  answer: Answer,
): Uint8Array<ArrayBuffer> {
  const writer = new MsgpackWriter();
  const metadata = writeMetadata(features, answer);
  beginResult(writer, metadata);
  writeVector(writer, features, answer);
  return finish(writer, metadata);
}

/** The answer for many vectors. */
export function writeMsgpackBatch(
  rows: readonly (readonly ServedFeature[])[],
  answer: Answer,
): Uint8Array<ArrayBuffer> {
  const writer = new MsgpackWriter();
  const metadata = writeBatchMetadata(rows, answer);
  beginResult(writer, metadata);
  writer.array(rows.length);
  for (const features of rows) writeVector(writer, features, answer);
  return finish(writer, metadata);
}

function beginResult(writer: MsgpackWriter, metadata: Json): void {
  writer.map(metadata === null ? 1 : 2);
  writer.string("result");
}

function writeVector(
  writer: MsgpackWriter,
  features: readonly ServedFeature[],
  answer: Answer,
): void {
  writer.map(1);
  writer.string("features");
  writer.array(features.length);
  for (const feature of features) writeTyped(writer, feature.type, servedValue(feature, answer));
}

function finish(writer: MsgpackWriter, metadata: Json): Uint8Array<ArrayBuffer> {
  if (metadata !== null) {
    writer.string("metadata");
    writeJson(writer, metadata);
  }
  return writer.finish();
}

/** What has no declared type: a number is an integer where it is whole. */
function writeJson(writer: MsgpackWriter, json: Json): void {
  if (json === null) writer.nil();
  else if (typeof json === "boolean") writer.boolean(json);
  else if (typeof json === "string") writer.string(json);
  else if (typeof json === "number") {
    if (Number.isSafeInteger(json)) writer.integer(json);
    else writer.float64(json);
  } else if (Array.isArray(json)) {
    writer.array(json.length);
    for (const each of json as readonly Json[]) writeJson(writer, each);
  } else {
    const entries = Object.entries(json);
    writer.map(entries.length);
    for (const [key, each] of entries) {
      writer.string(key);
      writeJson(writer, each as Json);
    }
  }
}
