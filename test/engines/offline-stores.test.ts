import { describeOfflineStore } from "./offline-contract.ts";
import { openDuckdb, openMemory } from "./open-stores.ts";

describeOfflineStore("MemoryOfflineStore", () => Promise.resolve(openMemory()));

describeOfflineStore("DuckdbOfflineStore", () => openDuckdb());
