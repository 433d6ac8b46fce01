/** A process that deletes the canary from a directory; it says when it begins. */

import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { deleteCanary } from "./purge-fixtures.ts";

const [, , directory = ""] = process.argv;
const store = await openOfflineStore({ directory, memoryBytesMax: 128_000_000, threads: 1 });
process.stdout.write("begins\n");
await deleteCanary(store, () => undefined);
await store.close();
