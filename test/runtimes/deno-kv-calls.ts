/** Runs in Deno: prints the calls to Deno KV for one entity and for many, as JSON. */

import { stdout } from "node:process";
import { DenoKvStore } from "../../adapters/stores/deno-kv-store.ts";
import type { KvDatabase } from "../../adapters/stores/deno-kv-values.ts";
import { CallTap } from "./call-tap.ts";
import type { CallCounts } from "./call-tap.ts";
import { CountedServer, entityCounts, keysPerEntity } from "./counted-server.ts";

/** What is used of Deno. */
declare const Deno: { openKv(path: string): Promise<KvDatabase & { close(): void }> };

const kv = await Deno.openKv(":memory:");
const tap = new CallTap();
const store = new DenoKvStore({
  getMany: async (keys, options) => {
    await tap.pass();
    return kv.getMany(keys, options);
  },
  atomic: () => kv.atomic(),
});
tap.expect(0);
const server = await CountedServer.start({ store });
const counts: CallCounts[] = [];
for (const entityCount of entityCounts) {
  tap.expect(Math.ceil((entityCount * keysPerEntity) / 10));
  await server.ask(entityCount);
  counts.push(await tap.counts());
}
kv.close();
stdout.write(JSON.stringify(counts));
