/** Cases of the store contract about reads that are called off, and stores that fail for real. */

import type { OnlineStore } from "../online-store.ts";
import { everyByte, keysOfOneTrip, writeAll } from "./contract-case.ts";
import type { CaseStores, StoreCase } from "./contract-case.ts";
import { expectEqual, expectError } from "./expect.ts";

const aborted = { code: "STORE_UNAVAILABLE" } as const;
const unavailable = { code: "STORE_UNAVAILABLE", retryable: true } as const;

export const failureCases: readonly StoreCase[] = [
  {
    name: "readMany() rejects once its signal is aborted, also for keys that do not exist",
    async run({ store, key }) {
      const signal = AbortSignal.abort();
      await writeAll(store, [{ key: key("a"), bytes: everyByte }]);
      for (const keys of [[key("a")], [key("missing")], []]) {
        const read = () => store.readMany(keys, { signal });
        await expectError("a read called off", read, { ...aborted, secrets: [key("")] });
      }
      const live = { signal: new AbortController().signal };
      const [value] = await store.readMany([key("a")], live);
      expectEqual("a read that is not", value?.bytes, everyByte);
    },
  },
  {
    name: "readMany() called off under way rejects, or answers what is there",
    async run({ store, key }) {
      const keys = Array.from({ length: keysOfOneTrip(store) + 1 }, (_, i) => key(`${i}`));
      const ends = [key("0"), keys.at(-1) as string];
      await writeAll(
        store,
        ends.map((end) => ({ key: end, bytes: everyByte })),
      );
      const controller = new AbortController();
      const read = store.readMany(keys, { signal: controller.signal });
      controller.abort();
      // A store that had answered by then may keep to it, but must not make up a missing key.
      const outcome = await read.then(
        (values) => [values.at(0)?.bytes, values.at(-1)?.bytes],
        (error: unknown) => (error as { readonly code?: unknown }).code,
      );
      const expected = Array.isArray(outcome) ? [everyByte, everyByte] : "STORE_UNAVAILABLE";
      expectEqual("a read called off under way", outcome, expected);
    },
  },
  {
    name: "a store that fails rejects with a code, and names no key and no value",
    skip: skipWithoutFailing,
    async run({ failing, key }) {
      const store = failing as OnlineStore;
      const secretKey = tooLong(store, key("secret"));
      const secret = new TextEncoder().encode("a secret value");
      // The end is what base64 makes of the value.
      const secrets = ["secret", "kkk", "c2VjcmV0", "YSBz"];
      const read = () => store.readMany([secretKey]);
      await expectError("a read", read, { ...unavailable, secrets });
      const write = () => store.write([{ key: secretKey, bytes: secret }]);
      await expectError("a write", write, { ...unavailable, secrets });
    },
  },
  {
    name: "a store that fails for the last of many keys rejects, and answers no missing key",
    skip: skipWithoutFailing,
    async run({ failing, key }) {
      const store = failing as OnlineStore;
      const first = Array.from({ length: keysOfOneTrip(store) }, (_, i) => key(`${i}`));
      const read = () => store.readMany([...first, tooLong(store, key("last"))]);
      await expectError("a read of many keys", read, { ...unavailable, secrets: [key("")] });
    },
  },
];

/** As long as a key may be and one more: some platforms fail for nothing else. */
function tooLong(store: OnlineStore, key: string): string {
  return key.padEnd(store.capabilities.keyBytesMax + 1, "k");
}

function skipWithoutFailing({ failing }: CaseStores): string | null {
  return typeof failing === "string" ? failing : null;
}
