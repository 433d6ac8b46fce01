/**
 * An online store in Deno KV, of Deno Deploy or of a file. Ten keys come in one trip, all trips at
 * once; a value past 64 KiB is kept under several keys, and takes a second round to be read.
 */

import { PartedStore } from "../../src/store/parted-store.ts";
import { DenoKvValues } from "./deno-kv-values.ts";
import type { DenoKvOptions, KvDatabase } from "./deno-kv-values.ts";
import { randomName } from "./random-name.ts";

/**
 * @example
 * const store = new DenoKvStore(await Deno.openKv());
 */
export class DenoKvStore extends PartedStore {
  constructor(kv: KvDatabase, options: DenoKvOptions = {}) {
    super(new DenoKvValues(kv, options), { randomName });
  }
}
