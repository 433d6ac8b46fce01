/** The contract of an online store in vitest: one test a case. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { storeContract, storeContractNames } from "../../src/store/contract/store-contract.ts";
import type { ContractCase, StoreUnderTest } from "../../src/store/contract/store-contract.ts";

export interface OpenedStore extends StoreUnderTest {
  close(): Promise<void>;
}

/** The store is opened when the tests run: a case that leaves it out is skipped then, and says so. */
export function describeStore(
  name: string,
  kind: { readonly compareAndSet: boolean },
  open: () => Promise<OpenedStore>,
): void {
  describe(name, () => {
    let opened: OpenedStore | null = null;
    let cases: readonly ContractCase[] = [];
    beforeAll(async () => {
      opened = await open();
      cases = storeContract(opened);
    });
    afterAll(() => opened?.close());
    test("says truly whether it has compare-and-set", () => {
      expect(opened?.store.capabilities.compareAndSet).toBe(kind.compareAndSet);
    });
    storeContractNames.forEach((caseName, i) => {
      test(caseName, { timeout: 60_000 }, async (context) => {
        const { skip, run } = cases[i] as ContractCase;
        if (skip !== null) context.skip(skip);
        await run();
      });
    });
  });
}
