import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { buildTestApp } from "../builders/app.ts";
import { repository } from "./features.ts";
import { IngestApp } from "./ingest-app.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");
const dayMs = 86_400_000;
const horizonMs = 7 * dayMs;

/** Events without ids: nothing but the key tells a repeat. */
function clicks(count: number, atMs = nowMs - 1_000): { clicks: object[] } {
  const records = Array.from({ length: count }, (_, i) => {
    return { record: { at: atMs, user_id: `u${i}`, page: "p" } };
  });
  return { clicks: records };
}

describe.each([1, 4])("ingest with a key, %i log shards", (shardCount) => {
  const build = () => new IngestApp({ nowMs, shardCount });

  test("appends a request once, and counts a repeat's records as duplicates", async () => {
    const app = build();
    const records = clicks(40);
    expect(await app.send({ key: "k", records })).toMatchObject({ status: 200, counts: [40, 0] });
    for (const key of ["k", '"k"']) {
      expect(await app.send({ key, records })).toMatchObject({ status: 200, counts: [0, 40] });
    }
    expect(await app.rowCount()).toBe(40);
    // Another key is another request, and so is none.
    expect((await app.send({ key: "K", records })).counts).toEqual([40, 0]);
    expect((await app.send({ records })).counts).toEqual([40, 0]);
    expect(await app.rowCount()).toBe(120);
  });

  test("appends a request once that comes several times at once", async () => {
    const app = build();
    const request = { key: "k", records: clicks(40) };
    const answers = await Promise.all(Array.from({ length: 5 }, () => app.send(request)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const appended = answers.map(({ counts }) => counts?.[0] ?? 0);
    expect(appended.reduce((sum, each) => sum + each)).toBe(40);
    expect(await app.rowCount()).toBe(40);
  });

  const others: readonly [name: string, records: object][] = [
    ["one record less", clicks(39)],
    ["another order of records", { clicks: clicks(40).clicks.reverse() }],
    ["another event time", clicks(40, nowMs)],
    ["a source more", { ...clicks(40), transactions: [] }],
    ["no records", { clicks: [] }],
  ];
  for (const [name, records] of others) {
    test(`refuses a known key with ${name}, and writes nothing`, async () => {
      const app = build();
      await app.send({ key: "k", records: clicks(40) });
      expect(await app.send({ key: "k", records })).toMatchObject({
        status: 422,
        error: {
          errorType: "IdempotencyKeyReusedError",
          errorMessage:
            "Cannot append events: the key of the request is that of another one with other content, send them under a new key",
        },
      });
      expect(await app.rowCount()).toBe(40);
    });
  }

  const places: readonly [name: string, place: object][] = [
    ["another partition", { partition: "4", from_offset: 5, offsets: [5, 7] }],
    ["a partition from another offset", { partition: "3", from_offset: 4, offsets: [5, 7] }],
    ["other offsets in a partition", { partition: "3", from_offset: 5, offsets: [6, 7] }],
  ];
  for (const [name, place] of places) {
    test(`refuses a known key with ${name}, and writes nothing`, async () => {
      const app = build();
      const first = { partition: "3", from_offset: 5, offsets: [5, 7] };
      const request = { key: "k", records: clicks(2) };
      expect((await app.send({ ...request, partitions: { clicks: first } })).status).toBe(200);
      expect((await app.send({ ...request, partitions: { clicks: place } })).status).toBe(422);
      expect((await app.send(request)).status).toBe(422);
      expect(await app.rowCount()).toBe(2);
    });
  }

  test("knows the request again with its sources in another order, and other filtered records", async () => {
    const app = build();
    const transactions = [{ record: { id: "a", ts: nowMs, user_id: "u", amt: 1 } }];
    const robot = { record: { at: nowMs, user_id: "r", robot: true } };
    await app.send({ key: "k", records: { ...clicks(3), transactions } });
    const again = { transactions, clicks: [robot, ...clicks(3).clicks] };
    expect((await app.send({ key: "k", records: again })).status).toBe(200);
    expect(await app.rowCount()).toBe(4);
  });

  test("remembers the key of a request that brings no events", async () => {
    const app = build();
    expect((await app.send({ key: "k", records: { clicks: [] } })).status).toBe(200);
    expect((await app.send({ key: "k", records: { clicks: [] } })).status).toBe(200);
    expect((await app.send({ key: "k", records: clicks(1) })).status).toBe(422);
    expect((await app.send({ key: "none", records: {} })).status).toBe(200);
    expect(await app.rowCount()).toBe(0);
  });

  test("neither asks for a key in a dry run, nor takes it", async () => {
    const app = build();
    const records = clicks(3);
    expect((await app.send({ key: "k", records, dry_run: true })).counts).toEqual([3, 0]);
    expect(app.appendCount).toBe(0);
    expect((await app.send({ key: "k", records: clicks(2) })).counts).toEqual([2, 0]);
    expect((await app.send({ key: "k", records, dry_run: true })).counts).toEqual([3, 0]);
    expect(await app.rowCount()).toBe(2);
  });

  test("refuses events past the redelivery horizon, with an id or not", async () => {
    const app = build();
    const late = clicks(2, nowMs - horizonMs - 1);
    expect(await app.send({ key: "k", records: late })).toMatchObject({
      status: 400,
      error: {
        errorType: "TooLateError",
        errorMessage:
          "record 0: Cannot accept record: its event time is older than the redelivery horizon of 7d, send it by backfill",
      },
    });
    expect(app.appendCount).toBe(0);
    expect((await app.send({ key: "k", records: clicks(2, nowMs - horizonMs) })).status).toBe(200);
    expect((await app.send({ records: late })).counts).toEqual([2, 0]);
  });

  const ages: readonly [name: string, eventMs: number][] = [
    ["old", nowMs - 6 * dayMs],
    ["new", nowMs],
    ["of the future", nowMs + 3 * dayMs],
  ];
  for (const [name, eventMs] of ages) {
    test(`knows a request of ${name} events until they are too late`, async () => {
      const app = build();
      const request = { key: "k", records: clicks(20, eventMs) };
      await app.send(request);
      for (let atMs = nowMs; atMs < nowMs + 12 * dayMs; atMs += dayMs / 4) {
        app.clock.nowMs = atMs;
        // Requests of others let the shards forget what they may.
        await app.send({ key: `other-${atMs}`, records: clicks(0) });
        const isLate = eventMs < atMs - horizonMs;
        const answer = await app.send(request);
        expect([answer.status, answer.counts]).toEqual(isLate ? [400, null] : [200, [0, 20]]);
      }
      expect(await app.rowCount()).toBe(20);
    });
  }

  test("lets a key name another request once it is forgotten", async () => {
    const app = build();
    await app.send({ key: "k", records: clicks(2, nowMs) });
    const delayMs = limits.clockErrorMsMax + limits.requestMsMax;
    for (const [laterMs, status] of [
      [horizonMs + delayMs, 422],
      [horizonMs + delayMs + 1, 200],
    ] as const) {
      app.clock.nowMs = nowMs + laterMs;
      const records = clicks(3, app.clock.nowMs);
      expect((await app.send({ key: "k", records })).status).toBe(status);
    }
    expect(await app.rowCount()).toBe(5);
  });

  test("completes a request that failed anywhere, and doubles nothing", async () => {
    const records = clicks(40);
    const appendsExpected = shardCount === 1 ? 1 : 1 + shardCount;
    for (let append = 0; append < appendsExpected; append++) {
      for (const when of ["before", "after"] as const) {
        const place = `append ${append}, ${when}`;
        const app = build();
        app.failAppend({ append, when });
        expect((await app.send({ key: "k", records })).status, place).toBe(503);
        if (append > 0 || when === "after") {
          const partial = await app.rowCount();
          expect((await app.send({ key: "k", records: clicks(39) })).status, place).toBe(422);
          expect(await app.rowCount(), place).toBe(partial);
        }
        const { status, counts } = await app.send({ key: "k", records });
        expect([status, (counts?.[0] ?? 0) + (counts?.[1] ?? 0)], place).toEqual([200, 40]);
        expect((await app.send({ key: "k", records })).counts, place).toEqual([0, 40]);
        expect(await app.rowCount(), place).toBe(40);
      }
    }
    const app = build();
    await app.send({ key: "k", records });
    expect(app.appendCount).toBe(appendsExpected);
  });

  test("asks no shard that has no share of the request", async () => {
    const app = build();
    await app.send({ records: clicks(1) });
    expect(app.appendCount).toBe(1);
    await app.send({ records: clicks(0) });
    expect(app.appendCount).toBe(1);
    await app.send({ key: "k", records: clicks(1) });
    expect(app.appendCount).toBe(shardCount === 1 ? 2 : 3);
  });
});

const wrongKeys: readonly [name: string, key: string][] = [
  ["no characters", ""],
  ["no characters in quotes", '""'],
  ["a tab", "a\tb"],
  ["letters that are not ASCII", "clé"],
  ["more characters than a key has", "k".repeat(limits.idempotencyKeyLengthMax + 1)],
];

for (const [name, key] of wrongKeys) {
  test(`ingest refuses a key of ${name}, also in a dry run`, async () => {
    const app = new IngestApp({ nowMs, shardCount: 1 });
    for (const dry_run of [false, true]) {
      expect(await app.send({ key, records: clicks(1), dry_run })).toMatchObject({
        status: 400,
        error: {
          errorType: "RequestValidationError",
          errorMessage:
            'Cannot read header "Idempotency-Key": it is not a key, expected 1 to 255 printable ASCII characters',
        },
      });
    }
    expect(app.appendCount).toBe(0);
  });
}

test("ingest takes keys of one character, of the most, and of any that are printable", async () => {
  const app = new IngestApp({ nowMs, shardCount: 1 });
  const longest = "k".repeat(limits.idempotencyKeyLengthMax);
  const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i)).trim();
  for (const key of ["k", longest, printable, 'a"b']) {
    expect((await app.send({ key, records: clicks(1) })).counts).toEqual([1, 0]);
    expect((await app.send({ key: `"${key}"`, records: clicks(1) })).counts).toEqual([0, 1]);
  }
});

test("ingest with a key shows its events in features once", async () => {
  const app = buildTestApp(repository, { nowMs });
  const body = { workspace_name: "prod", dry_run: false, records: clicks(1) };
  const key = { "Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324" };
  for (let i = 0; i < 3; i++) expect((await app.post("/ingest", body, key)).status).toBe(200);
  app.clock.nowMs = nowMs + 60_000;
  const { body: answer } = await app.post("/api/v1/feature-service/get-features", {
    params: { featureServiceName: "paged", joinKeyMap: { user_id: "u0" } },
  });
  expect(answer).toEqual({ result: { features: ["1", "p"] } });
});
