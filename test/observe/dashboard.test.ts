import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { dashboardRows, familiesNotShown } from "../../scripts/observe/dashboard-rows.ts";
import { buildDashboard } from "../../scripts/observe/dashboard.ts";
import type { MetricFamily } from "../../src/observe/metric-family.ts";
import { createServingMetrics, familiesOf } from "../../src/observe/serving-metrics.ts";

const families = familiesOf(createServingMetrics(0));
const queries = dashboardRows.flatMap(({ panels }) => panels.flatMap((panel) => panel.queries));

/** The names that a family's samples have, of which a query names one. */
function samplesOf({ type, head: { name } }: MetricFamily): readonly string[] {
  if (type === "counter") return [`${name}_total`];
  return type === "gauge" ? [name] : ["_bucket", "_sum", "_count"].map((suffix) => name + suffix);
}

const familyOf = new Map(
  families.flatMap((family) => samplesOf(family).map((sample) => [sample, family] as const)),
);

test("every query of the dashboard names metrics and labels that there are", () => {
  for (const { expr, legend } of queries) {
    const names = expr.match(/tilemark_\w+/g) ?? [];
    expect(names.length, expr).toBeGreaterThan(0);
    for (const name of names) {
      const family = familyOf.get(name);
      expect(family, `${name} in ${expr}`).toBeDefined();
      const known = ["le", "instance", ...(family?.head.labels ?? [])];
      const used = [
        ...expr.matchAll(/(\w+)(?:=~|!=|=)"/g),
        ...[...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by = ""]) => [
          ...by.matchAll(/(\w+)/g),
        ]),
        ...legend.matchAll(/\{\{(\w+)\}\}/g),
      ].map(([, label]) => label);
      expect(known, expr).toEqual(expect.arrayContaining(used));
    }
  }
});

test("every family is on the dashboard, or on the list of those that need not be", () => {
  const text = queries.map(({ expr }) => expr).join("\n");
  const shown = families.filter((family) =>
    samplesOf(family).some((sample) => new RegExp(`\\b${sample}\\b`).test(text)),
  );
  const missing = families.filter((family) => !shown.includes(family));
  expect(missing.map(({ head }) => head.name).sort()).toEqual(Object.keys(familiesNotShown).sort());
});

test("panels lie beside one another, in the 24 columns that there are", () => {
  const { panels } = buildDashboard() as {
    panels: { id: number; gridPos: { h: number; w: number; x: number; y: number } }[];
  };
  const cells = panels.flatMap(({ gridPos: { h, w, x, y } }) =>
    Array.from({ length: h * w }, (_, i) => [x + (i % w), y + Math.floor(i / w)] as const),
  );
  expect(cells.every(([x]) => x < 24)).toBe(true);
  expect(new Set(cells.map(String)).size).toBe(cells.length);
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
});

test("dashboard.json is what the panels come to: npm run dashboard", async () => {
  const file = new URL("../../scripts/observe/dashboard.json", import.meta.url).pathname;
  expect(JSON.parse(await readFile(file, "utf8"))).toEqual(buildDashboard());
});
