/** Offline stores of each kind, and a way to load events into them. */

import { createHash } from "node:crypto";
import type { SourceDefinition, SourceEvent } from "../../src/define/definition.ts";
import { MemoryOfflineStore } from "../builders/memory-offline-store.ts";
import type { OfflineUnderTest } from "./offline-contract.ts";
import { openStore, writeFiles } from "./offline-fixtures.ts";

export function openMemory(): OfflineUnderTest {
  const store = new MemoryOfflineStore();
  let loads = 0;
  return {
    store,
    load: (source, events) => {
      const name = `load-${String(loads++).padStart(4, "0")}`;
      store.putLoad(source, name, events);
      return Promise.resolve(name);
    },
  };
}

export async function openDuckdb(directory?: string): Promise<OfflineUnderTest> {
  const store = await openStore(directory === undefined ? {} : { directory });
  let loads = 0;
  return {
    store,
    load: async (source, events) => {
      const text = events.map((event) => jsonLine(source, event)).join("\n");
      const name = `load-${loads++}.jsonl`;
      const files = await writeFiles({ [name]: text });
      await store.load(source, files);
      return createHash("sha256").update(`${name}\0${text}`).digest("hex");
    },
  };
}

function jsonLine({ columns }: SourceDefinition, { values }: SourceEvent): string {
  return JSON.stringify(
    Object.fromEntries(columns.map(({ name }, i) => [name, toJson(values[i] ?? null)])),
  );
}

/** JSON has no integers past 2^53. */
function toJson(value: SourceEvent["values"][number]): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
