import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CorruptRecordError } from "../../src/core/errors.ts";
import { readBatchRecord, writeBatchRecord } from "../../src/tile/batch-record.ts";
import { readPartial, writePartial } from "../../src/tile/partial-codec.ts";
import type { Partial } from "../../src/tile/partial.ts";
import { readStreamRecord, writeStreamRecord } from "../../src/tile/stream-record.ts";
import type { StreamRecord } from "../../src/tile/stream-record.ts";
import { retile } from "../../src/tile/tiling.ts";
import { ByteWriter } from "../../src/core/bytes.ts";
import { planCover } from "../../src/window/cover.ts";
import { allFunctions, randomEvent } from "../builders/all-functions-view.ts";
import { forSeeds, randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

const view = allFunctions;
const hourMs = 3_600_000;
const nowMs = Date.UTC(2026, 0, 15, 10, 7);
const header = { cut: 7, watermarkMs: nowMs, sealedAtMs: nowMs, eventCount: 300 };

function randomPartial(random: Random, eventCount: number): Partial {
  const reads = {
    earliestMs: nowMs,
    latestMs: nowMs + 30 * hourMs,
    overtimeMs: 30 * hourMs,
    behind: false,
  };
  const cover = planCover(
    view,
    view.features.map(({ window }) => window),
    reads,
  );
  const events = Array.from({ length: eventCount }, (_, i) => {
    const ageMs = random.pick([hourMs, 24 * hourMs, 400 * hourMs]);
    return randomEvent(random, nowMs + hourMs - random.integer(0, ageMs), `e${i}`);
  });
  return retile([], events, { cover, earliestMs: nowMs, layout: view });
}

function partialBytes(partial: Partial): Uint8Array {
  const writer = new ByteWriter();
  writePartial(writer, partial, view);
  return writer.finish();
}

function streamOf(random: Random, eventCount: number): StreamRecord {
  return {
    collectedEpoch: 3,
    collectedWatermarkMs: -Infinity,
    positions: new Map([
      ["main-0", 12],
      ["main-1", 2 ** 40],
    ]),
    epochs: [4, 5].map((epoch) => ({
      epoch,
      startedAtMs: nowMs - hourMs * epoch,
      partial: randomPartial(random, eventCount),
      counts: [],
    })),
  };
}

test("readPartial() reads what writePartial() wrote, for any mix of tiles and events", () => {
  forSeeds(60, (random) => {
    const bytes = partialBytes(randomPartial(random, random.pick([0, 1, 5, 40, 400])));
    expect(partialBytes(readPartial(bytes, view))).toEqual(bytes);
  });
});

test("retile() gives the same bytes in whatever order the events come", () => {
  forSeeds(40, (random, seed) => {
    const partial = randomPartial(randomFrom(seed), 200);
    const events = [...partial.events];
    const reads = {
      earliestMs: nowMs,
      latestMs: nowMs + 30 * hourMs,
      overtimeMs: 30 * hourMs,
      behind: false,
    };
    const cover = planCover(
      view,
      view.features.map(({ window }) => window),
      reads,
    );
    const context = { cover, earliestMs: nowMs, layout: view };
    const forwards = retile([], events, context);
    const backwards = retile([], random.shuffled(events), context);
    expect(partialBytes(backwards)).toEqual(partialBytes(forwards));
  });
});

test("retile() and the codec take the first and the last instant there is", () => {
  const random = randomFrom(2);
  const farMs = 8.64e15;
  for (const horizonMs of [hourMs, 1000 * 24 * hourMs]) {
    const reads = {
      earliestMs: nowMs,
      latestMs: nowMs + horizonMs,
      overtimeMs: horizonMs,
      behind: false,
    };
    const windows = [
      { sizeMs: null, offsetMs: 0 },
      { sizeMs: hourMs, offsetMs: -24 * hourMs },
    ];
    const cover = planCover(view, windows, reads);
    const timestamps = [-farMs, -farMs, 1 - farMs, nowMs, farMs - 1, farMs, farMs, farMs];
    const events = timestamps.map((at, i) => randomEvent(random, at, `e${i}`));
    const many = [...events, ...events, ...events, ...events];
    const partial = retile([], many, { cover, earliestMs: nowMs, layout: view });
    const bytes = partialBytes(partial);
    const read = readPartial(bytes, view);
    expect(partialBytes(read)).toEqual(bytes);
    expect(read.events.map(({ timestampMs }) => timestampMs)).toEqual(
      partial.events.map(({ timestampMs }) => timestampMs),
    );
    expect(read.tiles.map(({ startMs, endMs }) => [startMs, endMs])).toEqual(
      partial.tiles.map(({ startMs, endMs }) => [startMs, endMs]),
    );
  }
});

test("a hot tile is states, a quiet one stays raw events", () => {
  const random = randomFrom(3);
  const quiet = randomPartial(random, 2);
  expect(quiet.tiles).toHaveLength(0);
  expect(quiet.events).toHaveLength(2);
  const hot = randomPartial(random, 4000);
  expect(hot.tiles.length).toBeGreaterThan(0);
  expect(partialBytes(hot).length).toBeLessThan(4000 * 20);
});

test("readBatchRecord() and readStreamRecord() detect every single-bit flip", () => {
  const random = randomFrom(11);
  const batch = writeBatchRecord(header, randomPartial(random, 30), view);
  expectEveryFlipDetected(batch, (bytes) => readBatchRecord(bytes, view));
  const stream = writeStreamRecord(streamOf(random, 12), view);
  expectEveryFlipDetected(stream, (bytes) => readStreamRecord(bytes, view));
});

function expectEveryFlipDetected(bytes: Uint8Array, read: (bytes: Uint8Array) => unknown): void {
  expect(() => read(bytes)).not.toThrow();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
    let detected = false;
    try {
      read(flipped);
    } catch (error) {
      detected = error instanceof CorruptRecordError;
    }
    if (!detected) expect.fail(`the flip of bit ${bit} of ${bytes.length * 8} was not detected`);
  }
}

test("readBatchRecord() detects every truncation, and bytes that are no record", () => {
  const bytes = writeBatchRecord(header, randomPartial(randomFrom(5), 20), view);
  for (let length = 0; length < bytes.length; length++) {
    expect(() => readBatchRecord(bytes.subarray(0, length), view)).toThrow(CorruptRecordError);
  }
  expect(() => readStreamRecord(bytes, view)).toThrow("it is not a stream record");
});

test("readBatchRecord() refuses a record of another definition, and names both", () => {
  const bytes = writeBatchRecord(header, randomPartial(randomFrom(5), 20), view);
  const other = { ...view, fingerprint: "ffffffffffffffff" };
  expect(() => readBatchRecord(bytes, other)).toThrow(
    `Cannot read record: definition ${view.fingerprint} wrote it, expected ffffffffffffffff`,
  );
});

test("writeStreamRecord() keeps the header and the epochs", () => {
  const record = streamOf(randomFrom(9), 25);
  const read = readStreamRecord(writeStreamRecord(record, view), view);
  expect(read.collectedEpoch).toBe(3);
  expect([...read.positions]).toEqual([...record.positions]);
  expect(read.epochs.map(({ epoch, startedAtMs }) => [epoch, startedAtMs])).toEqual(
    record.epochs.map(({ epoch, startedAtMs }) => [epoch, startedAtMs]),
  );
});

interface GoldenRecords {
  readonly batch: string;
  readonly stream: string;
}

test("version 1 of both records stays readable, and is written byte for byte", () => {
  const path = new URL("golden-records-v1.json", import.meta.url).pathname;
  const golden = JSON.parse(readFileSync(path, "utf8")) as GoldenRecords;
  const batch = writeBatchRecord(header, randomPartial(randomFrom(42), 120), view);
  const stream = writeStreamRecord(streamOf(randomFrom(43), 40), view);
  expect(Buffer.from(batch).toString("hex")).toBe(golden.batch);
  expect(Buffer.from(stream).toString("hex")).toBe(golden.stream);
  const read = readBatchRecord(Buffer.from(golden.batch, "hex"), view);
  expect(read.header).toEqual(header);
  expect(read.partial.tileStartsMs.length + read.partial.eventTimestampsMs.length).toBeGreaterThan(
    9,
  );
  expect(readStreamRecord(Buffer.from(golden.stream, "hex"), view).epochs).toHaveLength(2);
});
