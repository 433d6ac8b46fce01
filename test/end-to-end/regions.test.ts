import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runRegions } from "../../scripts/regions/run-regions.ts";

test("three regions under load, one cut off: nothing wrong, nothing failed, and it says that it is stale", async () => {
  const directory = mkdtempSync(join(tmpdir(), "tilemark-regions-"));
  try {
    const report = await runRegions({ directory, cutMs: 22_000 });
    const [home, near, far] = report.regions;
    for (const region of report.regions) {
      expect(region, JSON.stringify(region)).toMatchObject({
        failed: 0,
        wrong: 0,
        firstWrong: null,
      });
      expect(region.reads).toBeGreaterThan(100);
    }
    expect([home?.stale, home?.gaps, near?.stale]).toEqual([0, 0, 0]);
    expect(far?.stale).toBeGreaterThan(0);
    expect(far?.staleAfterMs).toBeLessThan(16_000);
    expect(report.caughtUpMs).toBeLessThan(10_000);
    expect(report.compactions).toBeGreaterThan(1);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 120_000);
