/** The bytes of one value of a column. The type is known from the layout, so it is not written. */

import type { ByteReader, ByteWriter } from "./bytes.ts";
import { CorruptRecordError } from "./errors.ts";
import { instantMsMax } from "./instant.ts";
import { toInt64 } from "./value.ts";
import type { Int64, Scalar, ScalarType } from "./value.ts";

/**
 * Writes a value: one value has one encoding.
 *
 *   float64     8 bytes, little-endian
 *   string      varint of the byte count, then UTF-8
 *   boolean     one byte, 0 or 1
 *   int64       see `writeInteger`; a timestamp is one
 *
 * @param value of that type: not null, NaN, infinite or -0.
 */
export function writeScalar(writer: ByteWriter, type: ScalarType, value: Scalar): void {
  switch (type) {
    case "float64":
      return writer.float64(value as number);
    case "string":
      return writer.string(value as string);
    case "boolean":
      return writer.byte(value === true ? 1 : 0);
    case "int64":
    case "timestamp":
      return writeInteger(writer, value as Int64);
  }
}

/** @throws CorruptRecordError for bytes that `writeScalar` never writes. */
export function readScalar(reader: ByteReader, type: ScalarType): Scalar {
  switch (type) {
    case "float64":
      return readFloat(reader);
    case "string":
      return reader.string();
    case "boolean":
      return readBoolean(reader);
    case "int64":
      return readInteger(reader);
    case "timestamp":
      return checkInstant(readInteger(reader));
  }
}

// Codes are zigzag + 1, so that the code 0 is free and a code stays below 2^53.
const shortMin = -(2 ** 52) + 1;
const shortMax = 2 ** 52 - 1;
const longCode = 0;

/**
 * Writes an int64 in 1 to 9 bytes: varint of (zigzag + 1) while |v| is below 2^52, else the byte 0
 * and 8 bytes little-endian.
 *
 *   -1  zigzag 1  02      63  zigzag 126  7f      2^62  00 0000000000000040
 */
export function writeInteger(writer: ByteWriter, value: Int64): void {
  if (typeof value === "number" && value >= shortMin && value <= shortMax) {
    return writer.varint(value < 0 ? -2 * value : 2 * value + 1);
  }
  writer.byte(longCode);
  writer.bigint64(BigInt(value));
}

/** Writes the way from one instant to another, which may be longer than a number counts exactly. */
export function writeStep(writer: ByteWriter, from: number, to: number): void {
  const step = to - from;
  writeInteger(writer, Number.isSafeInteger(step) ? step : toInt64(BigInt(to) - BigInt(from)));
}

/** The instant that `writeStep` led to. @throws CorruptRecordError for one that cannot be. */
export function readStep(reader: ByteReader, from: number): number {
  const step = readInteger(reader);
  const to = typeof step === "number" ? from + step : Number(BigInt(from) + step);
  if (Math.abs(to) <= instantMsMax) return to;
  throw corrupt("a step in time", "it leads further from 1970 than can be");
}

/** @throws CorruptRecordError for bytes that `writeInteger` never writes. */
export function readInteger(reader: ByteReader): Int64 {
  const code = reader.varint();
  if (code !== longCode) {
    if (code > Number.MAX_SAFE_INTEGER) throw corrupt("an int64", "its varint is past 2^53");
    return code % 2 === 0 ? -code / 2 : (code - 1) / 2;
  }
  const value = toInt64(reader.bigint64());
  if (typeof value === "number" && value >= shortMin && value <= shortMax) {
    throw corrupt("an int64", "it is in the long form and fits the short one");
  }
  return value;
}

function readFloat(reader: ByteReader): number {
  const value = reader.float64();
  if (!Number.isFinite(value)) throw corrupt("a float64", "it is not finite");
  return value;
}

function readBoolean(reader: ByteReader): boolean {
  const byte = reader.byte();
  if (byte > 1) throw corrupt("a boolean", "its byte is neither 0 nor 1");
  return byte === 1;
}

function checkInstant(value: Int64): number {
  if (typeof value === "bigint" || value < -instantMsMax || value > instantMsMax) {
    throw corrupt("a timestamp", "it is further from 1970 than an instant can be");
  }
  return value;
}

function corrupt(what: string, why: string): CorruptRecordError {
  return new CorruptRecordError(`Cannot read ${what}: ${why}`);
}
