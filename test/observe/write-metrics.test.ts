import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { counterFamily, gaugeFamily, histogramFamily } from "../../src/observe/metric-family.ts";
import { createServingMetrics, familiesOf } from "../../src/observe/serving-metrics.ts";
import { version } from "../../src/observe/version.ts";
import {
  chooseFormat,
  openMetrics,
  prometheusText,
  writeMetrics,
} from "../../src/observe/write-metrics.ts";
import packageJson from "../../package.json" with { type: "json" };
import { readOpenMetrics } from "./check-open-metrics.ts";

function exampleFamilies() {
  const calls = counterFamily({ name: "calls", help: 'Calls of "a\\b"\nand more', labels: ["to"] });
  const heap = gaugeFamily({ name: "heap_bytes", help: "Heap", unit: "bytes", labels: [] });
  const waits = histogramFamily(
    { name: "wait_seconds", help: "Waits", unit: "seconds", labels: ["for"] },
    [0.25, 1, 10],
  );
  calls.of('a "quoted"\\ \n line').add(2);
  heap.of().set(0.5);
  for (const value of [0.25, 0.26, 1, 99, -3]) waits.of("x").observe(value);
  return [calls, heap, waits];
}

test("writeMetrics() writes OpenMetrics", () => {
  expect(writeMetrics(exampleFamilies(), openMetrics)).toBe(`# TYPE calls counter
# HELP calls Calls of \\"a\\\\b\\"\\nand more
calls_total{to="a \\"quoted\\"\\\\ \\n line"} 2
# TYPE heap_bytes gauge
# UNIT heap_bytes bytes
# HELP heap_bytes Heap
heap_bytes 0.5
# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
# HELP wait_seconds Waits
wait_seconds_bucket{for="x",le="0.25"} 2
wait_seconds_bucket{for="x",le="1.0"} 4
wait_seconds_bucket{for="x",le="10.0"} 4
wait_seconds_bucket{for="x",le="+Inf"} 5
wait_seconds_sum{for="x"} 100.51
wait_seconds_count{for="x"} 5
# EOF
`);
});

test("writeMetrics() writes the older format, in which counters are named with their _total", () => {
  const text = writeMetrics(exampleFamilies().slice(0, 2), prometheusText);
  expect(text).toBe(`# TYPE calls_total counter
# HELP calls_total Calls of "a\\\\b"\\nand more
calls_total{to="a \\"quoted\\"\\\\ \\n line"} 2
# TYPE heap_bytes gauge
# HELP heap_bytes Heap
heap_bytes 0.5
`);
});

test("the strict reader reads what was written, and refuses what the specification does", () => {
  const text = writeMetrics(exampleFamilies(), openMetrics);
  const [calls] = readOpenMetrics(text);
  expect(calls?.samples).toEqual([
    { name: "calls_total", labels: { to: 'a "quoted"\\ \n line' }, value: 2 },
  ]);
  const wrong: readonly (readonly [from: string, to: string])[] = [
    ["# EOF\n", ""],
    ["heap_bytes 0.5", "heap_bytes 0.5 "],
    ["# UNIT heap_bytes bytes", "# UNIT heap_bytes seconds"],
    ["calls_total{", "calls{"],
    ['le="1.0"} 4', 'le="1.0"} 5'],
    ['le="10.0"', 'le="10"'],
    ["wait_seconds_count{", "wait_seconds_counts{"],
    ["calls_total{to=", "calls_total{to=,to="],
    ["# HELP heap_bytes Heap\n", ""],
  ];
  for (const [from, to] of wrong) {
    expect(() => readOpenMetrics(text.replace(from, to)), from).toThrow();
  }
});

test("MetricFamily bounds its series: past the limit new labels share one that says other", () => {
  const family = counterFamily({ name: "calls", help: "Calls", labels: ["to"] });
  for (let i = 0; i < limits.metricSeriesMax + 50; i++) family.of(`name${i}`).add(1);
  expect(family.all.length).toBe(limits.metricSeriesMax + 1);
  expect(family.of("other").value).toBe(50);
  expect(family.of("name7").value).toBe(1);
});

test("every family of a server is OpenMetrics, with its unit and its help", () => {
  const metrics = createServingMetrics(0);
  const families = readOpenMetrics(writeMetrics(familiesOf(metrics), openMetrics));
  expect(families.length).toBe(familiesOf(metrics).length);
  for (const { name, unit } of families) {
    expect(name).toMatch(/^tilemark_[a-z_]+$/);
    expect(name).not.toMatch(/_(total|bucket|sum|count|created|ms|milliseconds)$/);
    expect(unit, name).toBe(/_(seconds|bytes)$/.exec(name)?.[1] ?? null);
  }
});

const accepted = [
  [undefined, prometheusText],
  ["*/*", prometheusText],
  ["text/plain;version=0.0.4", prometheusText],
  ["application/openmetrics-text", openMetrics],
  ["application/openmetrics-text;q=0, text/plain", prometheusText],
  // What Prometheus 2 and 3 send.
  [
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    openMetrics,
  ],
] as const;

test.each(accepted)("chooseFormat() for %s", (accept, format) => {
  expect(chooseFormat(accept)).toBe(format);
});

test("version is that of the package", () => {
  expect(version).toBe(packageJson.version);
});
