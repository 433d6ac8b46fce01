import { describe, expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { buildTestApp } from "../builders/app.ts";
import { randomFrom } from "../builders/random.ts";
import { repository } from "./features.ts";
import { IngestApp } from "./ingest-app.ts";
import type { IngestAnswer } from "./ingest-app.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");
const offsetMax = Number.MAX_SAFE_INTEGER - 1;

/** A click whose page is its offset. */
function click(offset: number, fields: object = {}): object {
  return { record: { at: nowMs - 1_000, user_id: "u", page: `${offset}`, ...fields } };
}

function offsetsFrom(from: number, until: number): number[] {
  return Array.from({ length: until - from }, (_, i) => from + i);
}

/** Sends the offsets of `[from, until)` as records of one partition. */
function sendRange(
  app: IngestApp,
  [from, until]: readonly [number, number],
  fields: object = {},
): Promise<IngestAnswer> {
  return app.send({
    records: { clicks: offsetsFrom(from, until).map((offset) => click(offset)) },
    partitions: { clicks: { partition: "3", from_offset: from, ...fields } },
  });
}

async function pagesIn(app: IngestApp): Promise<number[]> {
  const rows = (await app.rows()).flat();
  return rows.map(({ body }) => Number(/page\D*?(\d+)/.exec(new TextDecoder().decode(body))?.[1]));
}

describe.each([1, 4])("ingest from a partition, %i log shards", (shardCount) => {
  const build = () => new IngestApp({ nowMs, shardCount });

  test("appends each offset once, and counts repeats as duplicates", async () => {
    const app = build();
    expect((await sendRange(app, [1_200, 1_203])).counts).toEqual([3, 0]);
    expect((await sendRange(app, [1_200, 1_203])).counts).toEqual([0, 3]);
    expect((await sendRange(app, [1_201, 1_205])).counts).toEqual([2, 2]);
    expect((await sendRange(app, [1_202, 1_204])).counts).toEqual([0, 2]);
    expect(await pagesIn(app)).toEqual([1_200, 1_201, 1_202, 1_203, 1_204]);
  });

  test("refuses a gap and says from where to send", async () => {
    const app = build();
    await sendRange(app, [1_000, 1_100]);
    expect(await sendRange(app, [1_200, 1_201])).toMatchObject({
      status: 409,
      error: {
        errorType: "ConflictError",
        errorMessage:
          'Cannot append partition "3" of source "clicks" from offset 1200: the log has it up to 1100, send from offset 1100',
      },
    });
    expect((await sendRange(app, [1_100, 1_201])).counts).toEqual([101, 0]);
    expect(await pagesIn(app)).toEqual(offsetsFrom(1_000, 1_201));
  });

  test("takes offsets with gaps between them, in camel case too", async () => {
    const app = build();
    const send = (offsets: number[], fields: object) =>
      app.send({
        records: { clicks: offsets.map((offset) => click(offset)) },
        partitions: { clicks: { partition: "0", offsets, ...fields } },
      });
    expect((await send([1_200, 1_201, 1_205], { from_offset: 1_200 })).counts).toEqual([3, 0]);
    expect((await send([1_205, 1_209], { fromOffset: 1_202 })).counts).toEqual([1, 1]);
    expect((await send([1_215], { fromOffset: 1_210 })).counts).toEqual([1, 0]);
    expect((await send([1_220], { fromOffset: 1_217 })).error?.errorMessage).toContain(
      "send from offset 1216",
    );
    expect(await pagesIn(app)).toEqual([1_200, 1_201, 1_205, 1_209, 1_215]);
  });

  test("counts the offsets of filtered records as met", async () => {
    const app = build();
    const robots = [click(10, { robot: true }), click(11, { robot: true })];
    const place = { partition: "0", from_offset: 10 };
    const sent = { records: { clicks: robots }, partitions: { clicks: place } };
    expect((await app.send(sent)).counts).toEqual([0, 0]);
    const mixed = { clicks: [click(12), click(13, { robot: true })] };
    const next = { clicks: { ...place, from_offset: 12 } };
    expect((await app.send({ records: mixed, partitions: next })).counts).toEqual([1, 0]);
    const none = { clicks: { ...place, from_offset: 14 } };
    expect((await app.send({ records: { clicks: [] }, partitions: none })).counts).toEqual([0, 0]);
    expect((await app.send({ records: { clicks: robots }, partitions: none })).status).toBe(200);
    const last = { clicks: { ...place, from_offset: 16 } };
    expect((await app.send({ records: { clicks: [click(16)] }, partitions: last })).status).toBe(
      200,
    );
    // A record keeps its own offset behind one that is left out.
    const overlap = { clicks: [click(16, { robot: true }), click(17)] };
    expect((await app.send({ records: overlap, partitions: last })).counts).toEqual([1, 0]);
    expect(await pagesIn(app)).toEqual([12, 16, 17]);
  });

  test("meets no offset in a dry run, or with a record that is refused", async () => {
    const app = build();
    await sendRange(app, [0, 2]);
    const place = { clicks: { partition: "3", from_offset: 2 } };
    const dry = { records: { clicks: [click(2)] }, partitions: place, dry_run: true };
    expect((await app.send(dry)).counts).toEqual([1, 0]);
    const wrong = { records: { clicks: [click(2), click(3, { at: null })] }, partitions: place };
    expect((await app.send(wrong)).status).toBe(400);
    expect((await sendRange(app, [2, 4])).counts).toEqual([2, 0]);
  });

  test("completes a request that failed anywhere, with a key or without", async () => {
    for (const when of ["before", "after"] as const) {
      for (const key of [{}, { key: "k" }]) {
        const app = build();
        const partitions = { clicks: { partition: "3", from_offset: 5 } };
        const request = { ...key, partitions, records: { clicks: [click(5), click(6)] } };
        const appends = shardCount > 1 && "key" in key ? 2 : 1;
        for (let append = 0; append < appends; append++) {
          app.failAppend({ append, when });
          expect((await app.send(request)).status).toBe(503);
        }
        expect((await app.send(request)).status).toBe(200);
        expect((await app.send(request)).counts).toEqual([0, 2]);
        expect(await pagesIn(app)).toEqual([5, 6]);
      }
    }
  });

  test("has every record once, however its batches are cut, sent again and put out of order", async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = randomFrom(seed);
      const app = build();
      const batches = Array.from({ length: 12 }, (_, i): [number, number] => {
        const from = Math.max(0, 5 * i - random.integer(0, 4));
        return [from, 5 * (i + 1)];
      });
      const [first, ...others] = batches as [[number, number], ...[number, number][]];
      for (const [from, until] of [first, ...random.shuffled([...others, ...others]), first]) {
        let { error } = await sendRange(app, [from, until]);
        while (error !== null) {
          const next = Number(/send from offset (\d+)$/.exec(error.errorMessage)?.[1]);
          expect(next, `seed ${seed}`).toBeLessThan(from);
          ({ error } = await sendRange(app, [next, until]));
        }
      }
      expect(await pagesIn(app), `seed ${seed}`).toEqual(offsetsFrom(0, 60));
    }
  });
});

test("ingest keeps a partition in one log shard, and spreads partitions over all", async () => {
  const app = new IngestApp({ nowMs, shardCount: 4 });
  for (let i = 0; i < 40; i++) {
    expect((await sendRange(app, [0, 10], { partition: `${i}` })).counts).toEqual([10, 0]);
  }
  for (const rows of await app.rows()) {
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length % 10).toBe(0);
  }
});

test("ingest takes a source from a partition beside one with ids", async () => {
  const app = new IngestApp({ nowMs, shardCount: 4 });
  const transactions = [{ record: { id: "a", ts: nowMs, user_id: "u", amt: 1 } }];
  const partitions = { clicks: { partition: "0", from_offset: 0 } };
  const request = { records: { clicks: [click(0), click(1)], transactions }, partitions };
  for (let i = 0; i < 2; i++) expect((await app.send(request)).status).toBe(200);
  expect(await app.rowCount()).toBe(3);
});

const wrongPartitions: readonly [name: string, partitions: unknown, message: string][] = [
  ["partitions as text", "3", '"partitions" is a string, expected an object'],
  [
    "a partition as text",
    { clicks: "3" },
    '"partitions.clicks" is a string, expected an object of "partition", "fromOffset" and "offsets"',
  ],
  [
    "a partition without a name",
    { clicks: { from_offset: 0 } },
    '"partitions.clicks.partition" is missing, expected a string',
  ],
  [
    "a partition without an offset",
    { clicks: { partition: "3" } },
    '"partitions.clicks.fromOffset" is missing, expected an integer',
  ],
  [
    "an offset as text",
    { clicks: { partition: "3", from_offset: "0" } },
    '"partitions.clicks.fromOffset" is a string, expected an integer',
  ],
  [
    "an offset in offsets as text",
    { clicks: { partition: "3", from_offset: 0, offsets: [0, "1"] } },
    '"partitions.clicks.offsets.1" is a string, expected an integer',
  ],
  [
    "an empty name of a partition",
    { clicks: { partition: "", from_offset: 0 } },
    '"partitions.clicks.partition" has 0 characters, expected 1 to 255',
  ],
  [
    "a name of a partition past the limit",
    { clicks: { partition: "p".repeat(limits.partitionLengthMax + 1), from_offset: 0 } },
    '"partitions.clicks.partition" has 256 characters, expected 1 to 255',
  ],
  [
    "an offset below 0",
    { clicks: { partition: "3", from_offset: -1 } },
    `"partitions.clicks.fromOffset" is -1, expected an integer from 0 to ${offsetMax}`,
  ],
  [
    "an offset between two",
    { clicks: { partition: "3", from_offset: 0, offsets: [0, 1.5] } },
    `"partitions.clicks.offsets.1" is 1.5, expected an integer from 1 to ${offsetMax}`,
  ],
  [
    "an offset that is no exact number",
    { clicks: { partition: "3", from_offset: offsetMax + 1 } },
    `"partitions.clicks.fromOffset" is ${offsetMax + 1}, expected an integer from 0 to ${offsetMax}`,
  ],
  [
    "offsets that end past the last",
    { clicks: { partition: "3", from_offset: offsetMax } },
    `"partitions.clicks.offsets.1" is ${offsetMax + 1}, expected an integer from ${offsetMax + 1} to ${offsetMax}`,
  ],
  [
    "offsets before the first",
    { clicks: { partition: "3", from_offset: 5, offsets: [4, 5] } },
    `"partitions.clicks.offsets.0" is 4, expected an integer from 5 to ${offsetMax}`,
  ],
  [
    "offsets that stand still",
    { clicks: { partition: "3", from_offset: 5, offsets: [5, 5] } },
    `"partitions.clicks.offsets.1" is 5, expected an integer from 6 to ${offsetMax}`,
  ],
  [
    "fewer offsets than records",
    { clicks: { partition: "3", from_offset: 5, offsets: [5] } },
    '"partitions.clicks.offsets" has 1 offsets for 2 records, expected one a record',
  ],
  [
    "a source with ids",
    { transactions: { partition: "3", from_offset: 5 } },
    '"partitions.transactions" is of a source whose event ids count each event once, leave it out',
  ],
  [
    "a source that has no records",
    { audits: { partition: "3", from_offset: 5 } },
    '"partitions" names source "audits", which "records" does not, expected a source of both',
  ],
  [
    "a source named __proto__",
    JSON.parse('{"__proto__":{"partition":"3","from_offset":5}}'),
    '"partitions" names source "__proto__", which "records" does not, expected a source of both',
  ],
];

for (const [name, partitions, message] of wrongPartitions) {
  test(`ingest refuses ${name}`, async () => {
    const app = new IngestApp({ nowMs, shardCount: 1 });
    const records = { clicks: [click(0), click(1)], transactions: [] };
    expect(await app.send({ records, partitions: partitions as object })).toMatchObject({
      status: 400,
      error: {
        errorType: "RequestValidationError",
        errorMessage: `Cannot read request: ${message}`,
      },
    });
    expect(app.appendCount).toBe(0);
  });
}

test("ingest takes the longest name of a partition, and the last offsets there are", async () => {
  const app = new IngestApp({ nowMs, shardCount: 1 });
  const partition = "p".repeat(limits.partitionLengthMax);
  expect((await sendRange(app, [0, 2], { partition })).counts).toEqual([2, 0]);
  const last = { clicks: { partition: "3", from_offset: offsetMax } };
  const records = { clicks: [click(0)] };
  expect((await app.send({ records, partitions: last })).counts).toEqual([1, 0]);
  expect((await app.send({ records, partitions: last })).counts).toEqual([0, 1]);
});

test("ingest from a partition shows its events in features once", async () => {
  const app = buildTestApp(repository, { nowMs });
  const records = { clicks: [click(7), click(8)] };
  const partitions = { clicks: { partition: "3", from_offset: 7 } };
  const body = { workspace_name: "prod", dry_run: false, records, partitions };
  for (let i = 0; i < 3; i++) expect((await app.post("/ingest", body)).status).toBe(200);
  app.clock.nowMs = nowMs + 60_000;
  const { body: answer } = await app.post("/api/v1/feature-service/get-features", {
    params: { featureServiceName: "paged", joinKeyMap: { user_id: "u" } },
  });
  expect(answer).toEqual({ result: { features: ["2", "8"] } });
});
