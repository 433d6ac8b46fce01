import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { SqliteStore } from "../../adapters/stores/sqlite-store.ts";
import { WorkersKvStore } from "../../adapters/stores/workers-kv-store.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { startDurableParts } from "./durable-parts.ts";
import { describeStore } from "./describe-store.ts";

describeStore("MemoryStore", { compareAndSet: true }, () =>
  Promise.resolve({
    store: new MemoryStore(),
    failing: "memory has nothing that can fail",
    close: () => Promise.resolve(),
  }),
);

describeStore("SqliteStore over node:sqlite", { compareAndSet: true }, () => {
  const sql = openNodeSqlite(":memory:");
  const closed = openNodeSqlite(":memory:");
  const failing = new SqliteStore(closed);
  closed.close();
  return Promise.resolve({
    store: new SqliteStore(sql),
    failing,
    close: () => {
      sql.close();
      return Promise.resolve();
    },
  });
});

describeStore("SqliteStore in a Durable Object", { compareAndSet: true }, async () => {
  const parts = await startDurableParts();
  return {
    store: await parts.openStore("contract"),
    failing: await parts.openRuinedStore("ruined"),
    close: () => parts.close(),
  };
});

describeStore("WorkersKvStore over Workers KV", { compareAndSet: false }, async () => {
  const parts = await startDurableParts();
  return {
    store: new WorkersKvStore(parts.kv),
    // Workers KV refuses a key that is too long, to be read or to be written.
    failing: new WorkersKvStore(parts.kv),
    close: () => parts.close(),
  };
});
