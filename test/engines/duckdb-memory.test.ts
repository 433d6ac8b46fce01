/** Sources of rows ten times as large as the memory they are read with. */

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { expect, test } from "vitest";
import { batchSource, batchView, entity, last, sum } from "../../src/index.ts";
import type { OfflineEvent, ScanChunk } from "../../src/offline/offline-store.ts";
import { eventOf, openStore, requestOf, temporaryDirectory } from "./offline-fixtures.ts";

const memoryBytesMax = 64_000_000;
const rowCount = 800_000;
const userCount = 50_000;
const noteBytes = 800;
const dayMs = 86_400_000;

const notes = batchSource("notes", {
  timestamp: "ts",
  id: "id",
  columns: { ts: "timestamp", id: "string", user_id: "string", n: "int64", note: "string" },
});

const noteView = batchView("user_notes", {
  entities: [entity("user", { user_id: "string" })],
  source: notes,
  windowing: "sliding",
  interval: "1d",
  features: { n: [sum("7d")], note: [last("7d")] },
  compaction: { every: "1d" },
});

test("scan() sorts ten times the memory, whole, in bounded memory", async () => {
  const directory = await temporaryDirectory();
  await writeSegment(join(directory, "notes", "segments", "s-0"));
  const store = await openStore({ directory, memoryBytesMax });
  const rssBefore = process.memoryUsage().rss;
  const check = new OrderCheck();
  let rssMax = 0;
  for await (const chunk of store.scan(requestOf(noteView))) {
    check.add(chunk);
    rssMax = Math.max(rssMax, process.memoryUsage().rss);
  }
  expect(check.rowCount).toBe(rowCount);
  expect(check.userCount).toBe(userCount);
  expect(check.sum).toBe((rowCount * (rowCount - 1)) / 2);
  expect(check.byteCount).toBeGreaterThan(10 * memoryBytesMax);
  expect(rssMax - rssBefore).toBeLessThan(7 * memoryBytesMax);
  expect(await readdir(join(directory, "tmp"))).toHaveLength(1);
}, 60_000);

test("putSegment() writes more than the memory, in any order of days, in bounded memory", async () => {
  const directory = await temporaryDirectory();
  const store = await openStore({ directory, memoryBytesMax });
  const count = 200_000;
  const rssBefore = process.memoryUsage().rss;
  let rssMax = 0;
  async function* rows(): AsyncGenerator<readonly OfflineEvent[]> {
    for (let start = 0; start < count; start += 1_000) {
      yield Array.from({ length: 1_000 }, (_, i) => noteEvent(start + i));
      rssMax = Math.max(rssMax, process.memoryUsage().rss);
    }
  }
  await store.putSegment({ source: notes, shard: "s", epoch: 0 }, rows());
  expect(rssMax - rssBefore).toBeLessThan(7 * memoryBytesMax);
  const days = await readdir(join(directory, "notes", "segments", "s-0"));
  expect(days).toHaveLength(400);
  const files = await Promise.all(
    days.map((day) => readdir(join(directory, "notes", "segments", "s-0", day))),
  );
  expect(files.flat().length).toBeLessThan(1_000);
  expect(await store.estimateRows(requestOf(noteView))).toBe(count);
  let scanned = 0;
  for await (const chunk of store.scan(requestOf(noteView))) scanned += chunk.rowCount;
  expect(scanned).toBe(count);
}, 60_000);

function noteEvent(n: number): OfflineEvent {
  const ts = ((n * 7_919) % 400) * dayMs + n;
  return eventOf(notes, [ts, `id-${n}`, `user-${n % userCount}`, n, "n".repeat(noteBytes)]);
}

async function writeSegment(directory: string): Promise<void> {
  const day = join(directory, "day=2024-01-01");
  await mkdir(day, { recursive: true });
  const instance = await DuckDBInstance.create(":memory:", { threads: "2" });
  const connection = await instance.connect();
  await connection.run(`COPY (
    SELECT ts, id, user_id, n, note, ts AS _ts, id AS _id, 0::BIGINT AS _epoch, n AS _seq,
      1::BIGINT AS _origin, 0::BIGINT AS _arrived_at
    FROM (SELECT ${Date.parse("2024-01-01")} + (i * 7919) % ${dayMs} AS ts, 'event-' || i AS id,
      'user-' || (i * 104729) % ${userCount} AS user_id, i AS n,
      repeat(chr(CAST(97 + i % 26 AS INTEGER)), ${noteBytes}) || i AS note
      FROM range(${rowCount}) AS r(i)))
    TO '${join(day, "data_0.parquet")}' (FORMAT parquet, ROW_GROUP_SIZE 2500)`);
  connection.closeSync();
  instance.closeSync();
}

class OrderCheck {
  rowCount = 0;
  userCount = 0;
  byteCount = 0;
  sum = 0;
  #user = "";
  #ts = -Infinity;
  #id = "";

  add({ rowCount: count, joinKeys, timestampsMs, ids, values }: ScanChunk): void {
    const [users, numbers, texts] = [joinKeys[0], values[0], values[1]];
    for (let i = 0; i < count; i++) {
      const user = users?.[i] as string;
      const ts = timestampsMs[i] as number;
      const id = ids[i] as string;
      if (user !== this.#user) this.userCount++;
      else if (ts < this.#ts || (ts === this.#ts && id <= this.#id)) {
        throw new Error(`row ${this.rowCount + i} is out of order`);
      }
      this.#user = user;
      this.#ts = ts;
      this.#id = id;
      this.sum += Number(numbers?.[i]);
      this.byteCount += String(texts?.[i]).length + user.length + id.length + 16;
    }
    this.rowCount += count;
  }
}
