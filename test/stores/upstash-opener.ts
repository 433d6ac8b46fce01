/** Upstash at an address, with the cases of the contract; runs wherever there is `fetch`. */

import { createUpstashClient } from "../../adapters/stores/upstash-client.ts";
import { UpstashStore } from "../../adapters/stores/upstash-store.ts";
import { storeContract } from "../../src/store/contract/store-contract.ts";
import type { OpenedCases } from "./open-store-cases.ts";

/** The token stands before the host: `http://token@127.0.0.1:8079`. */
export function openUpstashCases(address: string, keyPrefix: string): OpenedCases {
  const { origin: url, username: token } = new URL(address);
  const store = new UpstashStore(createUpstashClient({ url, token }));
  const failing = new UpstashStore(createUpstashClient({ url, token: "another" }));
  const cases = storeContract({ store, failing, keyPrefix });
  return { cases, close: () => Promise.resolve() };
}
