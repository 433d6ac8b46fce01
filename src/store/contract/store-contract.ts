/** The contract of an online store as cases that any test runner can run against a real store. */

import type { OnlineStore } from "../online-store.ts";
import type { StoreCase } from "./contract-case.ts";
import { failureCases } from "./failure-cases.ts";
import { guardCases } from "./guard-cases.ts";
import { readCases } from "./read-cases.ts";
import { writeCases } from "./write-cases.ts";

export interface StoreUnderTest {
  readonly store: OnlineStore;
  /** The same kind of store, failing for real, or the reason why it cannot be made. */
  readonly failing: OnlineStore | string;
  /**
   * What the keys of all cases begin with. The cases write keys that must not exist before, so a
   * store that outlives its run needs another prefix each time. Left out: nothing.
   */
  readonly keyPrefix?: string;
}

export interface ContractCase {
  readonly name: string;
  /** Null: to be run. Else why this store is left out. */
  readonly skip: string | null;
  /** Rejects with an Error that says what was expected and what was met. */
  run(): Promise<void>;
}

const cases: readonly StoreCase[] = [...readCases, ...writeCases, ...guardCases, ...failureCases];

/** The names of all cases, for a runner that must know them before it has a store. */
export const storeContractNames: readonly string[] = cases.map(({ name }) => name);

/**
 * The cases for one store, in the order of `storeContractNames`. They share no keys, so they may run
 * in any order. The largest values and the longest reads follow `store.capabilities`: allow a slow
 * store a minute a case.
 *
 * @example
 * import { test } from "node:test";
 * import { storeContract } from "tilemark/store-contract";
 *
 * const store = new MyStore(address);
 * const failing = new MyStore("127.0.0.1:1");
 * for (const { name, skip, run } of storeContract({ store, failing })) {
 *   test(name, { skip: skip ?? false }, run);
 * }
 */
export function storeContract(under: StoreUnderTest): readonly ContractCase[] {
  const { store, failing, keyPrefix = "" } = under;
  return cases.map((storeCase, i) => ({
    name: storeCase.name,
    skip: storeCase.skip?.({ store, failing }) ?? null,
    run: () => {
      const key = (name: string) => `${keyPrefix}contract-${i}/${name}`;
      return storeCase.run({ store, failing, key });
    },
  }));
}
