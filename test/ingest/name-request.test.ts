import { expect, test } from "vitest";
import { nameRequest } from "../../src/ingest/name-request.ts";
import type { ValidEvent, ValidRecords } from "../../src/ingest/validate-records.ts";
import type { PartitionRange } from "../../src/store/event-log.ts";
import { payments, visits } from "./online-parts.ts";

const nowMs = 1_700_000_000_000;

function eventOf(fields: Partial<ValidEvent> = {}, id = "a", timestampMs = nowMs): ValidEvent {
  const event = { id, timestampMs, values: [] };
  const body = Uint8Array.of(1);
  return { source: payments, event, body, views: [], offset: null, ...fields };
}

function recordsOf(...events: readonly ValidEvent[]): ValidRecords {
  return { source: payments, events, filteredCount: 0, errors: [] };
}

test("nameRequest() tells apart whatever would be written otherwise", () => {
  const range = { source: "payments", partition: "0", fromOffset: 0, nextOffset: 2 };
  const contents: readonly [ValidRecords[], PartitionRange[]][] = [
    [[recordsOf(eventOf())], []],
    [[recordsOf()], []],
    [[recordsOf(eventOf(), eventOf())], []],
    [[recordsOf(eventOf({}, "b"))], []],
    [[recordsOf(eventOf({}, "a", nowMs + 1))], []],
    [[recordsOf(eventOf({ body: Uint8Array.of(2) }))], []],
    [[{ ...recordsOf(eventOf()), source: visits }], []],
    [[recordsOf(eventOf()), { ...recordsOf(), source: visits }], []],
    [[recordsOf(eventOf({ offset: 0 }))], [range]],
    [[recordsOf(eventOf({ offset: 1 }))], [range]],
    [[recordsOf(eventOf({ offset: 0 }))], [{ ...range, partition: "1" }]],
    [[recordsOf(eventOf({ offset: 0 }))], [{ ...range, nextOffset: 3 }]],
  ];
  const hashes = contents.map(([records, partitions]) => {
    return nameRequest("k", { records, partitions }, nowMs).contentHash;
  });
  expect(new Set(hashes).size).toBe(contents.length);
});

test("nameRequest() does not see the order of sources, nor what was left out", () => {
  const records = [recordsOf(eventOf()), { ...recordsOf(), source: visits }];
  const hashOf = (each: readonly ValidRecords[]) =>
    nameRequest("k", { records: each, partitions: [] }, nowMs).contentHash;
  const filtered = records.map((each) => ({ ...each, filteredCount: 3 }));
  expect(hashOf(filtered.toReversed())).toBe(hashOf(records));
});
