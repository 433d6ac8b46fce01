/**
 * Metrics as text: OpenMetrics 1.0, and the format 0.0.4 that Prometheus had before it.
 *
 * Source: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md and
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */

import type { FamilyType, LabelledSeries, MetricFamily } from "./metric-family.ts";
import { Counter, Histogram } from "./series.ts";

export interface MetricsFormat {
  readonly name: "openMetrics" | "prometheus";
  readonly contentType: string;
}

export const openMetrics: MetricsFormat = {
  name: "openMetrics",
  contentType: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

export const prometheusText: MetricsFormat = {
  name: "prometheus",
  contentType: "text/plain; version=0.0.4; charset=utf-8",
};

/** What a scraper asks for: OpenMetrics where it names it, as Prometheus does, else the older one. */
export function chooseFormat(accept: string | undefined): MetricsFormat {
  const ranges = (accept ?? "").toLowerCase().split(",");
  const asksForOpenMetrics = ranges.some((range) => {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim());
    const isRefused = parameters.some((each) => /^q\s*=\s*0(\.0*)?$/.test(each));
    return type === "application/openmetrics-text" && !isRefused;
  });
  return asksForOpenMetrics ? openMetrics : prometheusText;
}

/** Families in their order; one that nothing was measured of has its head alone. */
export function writeMetrics(families: readonly MetricFamily[], format: MetricsFormat): string {
  const isOpen = format.name === "openMetrics";
  const lines = families.flatMap((family) => [
    ...headLines(family, isOpen),
    ...family.all.flatMap((each) => sampleLines(family, each)),
  ]);
  return [...lines, ...(isOpen ? ["# EOF"] : []), ""].join("\n");
}

function headLines({ type, head }: MetricFamily, isOpen: boolean): string[] {
  const { help, unit } = head;
  // The older format knows no families: there the name is that of the samples.
  const name = !isOpen && type === "counter" ? `${head.name}_total` : head.name;
  return [
    `# TYPE ${name} ${type}`,
    ...(isOpen && unit !== undefined ? [`# UNIT ${name} ${unit}`] : []),
    `# HELP ${name} ${isOpen ? escape(help) : escapeHelp(help)}`,
  ];
}

function sampleLines(
  { head }: MetricFamily,
  { values, series }: LabelledSeries<FamilyType>,
): string[] {
  const labels = head.labels.map((label, i) => `${label}="${escape(values[i] as string)}"`);
  if (series instanceof Counter) return [line(`${head.name}_total`, labels, series.value)];
  if (series instanceof Histogram) return histogramLines(head.name, labels, series);
  return series.value === null ? [] : [line(head.name, labels, series.value)];
}

/** Counts are cumulative: each has those of every bound before it. */
function histogramLines(
  name: string,
  labels: readonly string[],
  { bounds, counts, sum }: Histogram,
): string[] {
  let count = 0;
  const bounded = [...bounds, Infinity].map((bound, i) => {
    count += counts[i] as number;
    return line(`${name}_bucket`, [...labels, `le="${writeBound(bound)}"`], count);
  });
  return [...bounded, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, count)];
}

function line(name: string, labels: readonly string[], value: number): string {
  const set = labels.length === 0 ? "" : `{${labels.join(",")}}`;
  return `${name}${set} ${writeNumber(value)}`;
}

/** A bound is a text to whoever compares it: OpenMetrics writes whole ones with their ".0". */
function writeBound(bound: number): string {
  return Number.isInteger(bound) ? bound.toFixed(1) : writeNumber(bound);
}

function writeNumber(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  return String(value);
}

function escape(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
