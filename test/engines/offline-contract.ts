/** The contract of an offline store as a table of cases, run against every implementation. */

import { describe, test } from "vitest";
import type { SourceDefinition, SourceEvent } from "../../src/define/definition.ts";
import type { OfflineStore } from "../../src/offline/offline-store.ts";
import { deletionCases } from "./deletion-cases.ts";
import { loadCases } from "./load-cases.ts";
import { purgeCases } from "./purge-cases.ts";
import { rowCases } from "./row-cases.ts";

export interface OfflineUnderTest {
  readonly store: OfflineStore;
  /** Puts a load in the way of the store, and resolves with its name. */
  load(source: SourceDefinition, events: readonly SourceEvent[]): Promise<string>;
}

export interface OfflineCase {
  readonly name: string;
  run(under: OfflineUnderTest): Promise<void>;
}

const cases: readonly OfflineCase[] = [...rowCases, ...loadCases, ...deletionCases, ...purgeCases];

/** Every case meets a store of its own, empty. */
export function describeOfflineStore(name: string, open: () => Promise<OfflineUnderTest>): void {
  describe(name, () => {
    for (const { name: caseName, run } of cases) {
      test(caseName, { timeout: 60_000 }, async () => run(await open()));
    }
  });
}
