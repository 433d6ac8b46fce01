import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { storeContractNames } from "../../src/store/contract/store-contract.ts";
import { contractOutcomes, unguarded } from "./contract-outcomes.ts";

test(
  "DenoKvStore passes its cases in Deno, over a database in a file",
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "tilemark-"));
    try {
      const outcomes = await contractOutcomes("deno", ["deno-kv", join(folder, "kv.sqlite")]);
      expect(outcomes.filter(({ status }) => status !== "passed")).toEqual([unguarded]);
      const names = outcomes.map(({ name }) => name);
      expect(names.slice(0, storeContractNames.length)).toEqual(storeContractNames);
      expect(names).toHaveLength(storeContractNames.length + 8);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
