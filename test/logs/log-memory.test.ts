import { describe, expect, test } from "vitest";
import { SqliteLogMemory } from "../../adapters/logs/sqlite-log-memory.ts";
import { createLogTables } from "../../adapters/logs/sqlite-log-schema.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import type { LogMemory } from "../../src/store/log-memory.ts";
import { MapLogMemory } from "../../src/store/map-log-memory.ts";

const memories: readonly [name: string, open: () => LogMemory][] = [
  ["MapLogMemory", () => new MapLogMemory()],
  [
    "SqliteLogMemory",
    () => {
      const sql = openNodeSqlite(":memory:");
      createLogTables(sql);
      return new SqliteLogMemory(sql);
    },
  ],
];

describe.each(memories)("%s", (_, open) => {
  test("forgetIds() forgets the oldest ids of one source, so many, and says the newest of them", () => {
    const memory = open();
    const times = [40, 10, 30, 20, 50];
    for (const timestampMs of times) {
      memory.rememberId("a", { id: `${timestampMs}`, timestampMs, hash: "h" });
    }
    memory.rememberId("b", { id: "10", timestampMs: 10, hash: "h" });
    const known = () => times.filter((each) => memory.idHash("a", `${each}`) === "h");
    expect(memory.forgetIds("a", 10, 100)).toEqual({ count: 0, newestMs: -Infinity });
    expect(memory.forgetIds("a", 45, 3)).toEqual({ count: 3, newestMs: 30 });
    expect(known()).toEqual([40, 50]);
    expect(memory.forgetIds("a", 45, 3)).toEqual({ count: 1, newestMs: 40 });
    expect(known()).toEqual([50]);
    memory.rememberId("a", { id: "10", timestampMs: 10, hash: "h" });
    expect(memory.forgetIds("a", 50, 3)).toEqual({ count: 1, newestMs: 10 });
    expect(known()).toEqual([50]);
    expect(memory.idHash("b", "10")).toBe("h");
    expect(memory.forgetIds("c", 50, 3)).toEqual({ count: 0, newestMs: -Infinity });
  });

  test("forgetRequests() forgets those to be kept the shortest, so many, and says their newest event", () => {
    const memory = open();
    const requests = [
      ["z-first", 10, 7],
      ["a-third", 30, 3],
      ["b-second", 20, 9],
      ["c-claim", 5, null],
    ] as const;
    for (const [key, keepUntilMs, newestMs] of requests) {
      memory.rememberRequest({ key, contentHash: "h", keepUntilMs }, newestMs);
    }
    const known = () => requests.map(([key]) => key).filter((key) => memory.requestHash(key));
    expect(memory.forgetRequests(5, 2)).toEqual({ count: 0, newestMs: -Infinity });
    expect(memory.forgetRequests(6, 2)).toEqual({ count: 1, newestMs: -Infinity });
    expect(memory.forgetRequests(100, 2)).toEqual({ count: 2, newestMs: 9 });
    expect(known()).toEqual(["a-third"]);
    expect(memory.forgetRequests(31, 2)).toEqual({ count: 1, newestMs: 3 });
    expect(known()).toEqual([]);
  });
});

test("MapLogMemory.atomically() keeps nothing of what threw", () => {
  const memory = new MapLogMemory();
  const known = (id: string, timestampMs: number) => ({ id, timestampMs, hash: "h" });
  memory.rememberId("a", known("old", 1));
  memory.rememberId("a", known("young", 9));
  memory.rememberRequest({ key: "k", contentHash: "h", keepUntilMs: 1 }, 1);
  memory.setPartition("a", "0", { firstOffset: 0, nextOffset: 1 });
  memory.setForgottenMs("a", 0);
  memory.setCount(3);
  const failing = () =>
    memory.atomically(() => {
      memory.forgetIds("a", 5, 10);
      memory.forgetRequests(5, 10);
      memory.rememberId("a", known("old", 7));
      memory.rememberId("b", known("new", 7));
      memory.rememberRequest({ key: "new", contentHash: "h", keepUntilMs: 9 }, null);
      memory.setPartition("a", "0", { firstOffset: 0, nextOffset: 5 });
      memory.setPartition("a", "1", { firstOffset: 0, nextOffset: 5 });
      memory.setForgottenMs("a", 1);
      memory.setForgottenMs("b", 1);
      memory.setCount(4);
      throw new Error("no");
    });
  expect(failing).toThrow("no");
  expect([memory.idHash("b", "new"), memory.requestHash("new")]).toEqual([null, null]);
  expect(memory.requestHash("k")).toBe("h");
  expect(memory.partition("a", "0")).toEqual({ firstOffset: 0, nextOffset: 1 });
  expect([memory.partition("a", "1"), memory.partitionCount()]).toEqual([null, 1]);
  expect([memory.forgottenMs("a"), memory.forgottenMs("b")]).toEqual([0, -Infinity]);
  expect(memory.count()).toBe(3);
  // The old id is there as it was, and is forgotten again.
  expect(memory.forgetIds("a", 5, 10)).toEqual({ count: 1, newestMs: 1 });
  expect(memory.forgetRequests(5, 10)).toEqual({ count: 1, newestMs: 1 });
  expect(memory.idHash("a", "young")).toBe("h");
});
