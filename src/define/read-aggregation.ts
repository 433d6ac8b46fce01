/** Validates one aggregation of a view and works out the name of its feature. */

import type { AggregateFunction, NumberParameter } from "../aggregate/aggregate.ts";
import { isNumberFor } from "../aggregate/create-function.ts";
import { aggregateFunctions } from "../aggregate/functions.ts";
import { formatDuration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { seriesWindows } from "../window/series.ts";
import type { WindowSeries } from "../window/series.ts";
import type { Aggregation } from "./aggregation.ts";
import { describe } from "./brand.ts";
import type { FeatureScope, UnplacedFeature } from "./build-features.ts";
import { readText } from "./check.ts";
import type { Column, Window, Windowing } from "./definition.ts";
import { readCanonical, readOffset, readSeries } from "./read-series.ts";
import type { PlacedWindow } from "./read-series.ts";

export interface AggregationScope extends FeatureScope {
  readonly column: Column;
}

/** @throws DefinitionError */
export function readAggregation(value: unknown, scope: AggregationScope): UnplacedFeature {
  const field = `features.${scope.column.name}`;
  if ((value as { readonly kind?: unknown } | null | undefined)?.kind !== "aggregation") {
    throw new DefinitionError(
      `${scope.prefix}: ${field} has ${describe(value)}, expected an aggregation such as sum("1h")`,
    );
  }
  const aggregation = value as Aggregation;
  const text = writeCall(aggregation);
  const prefix = `${scope.prefix}: ${field} has ${text}`;
  const { column } = scope;
  const { functionName, n } = aggregation;
  const aggregate = readFunction(prefix, functionName, column);
  checkN(prefix, aggregate, n);
  const option = readOption(prefix, aggregate, aggregation.functionOptions ?? {});
  const { window, series } = readWindow(prefix, aggregation, scope);
  checkGrid(prefix, window, scope);
  const bound = aggregate.bind(column.type, n, option);
  return {
    name: writeName(aggregation, { window, series }, scope),
    column: column.name,
    functionName,
    n,
    option,
    window,
    series,
    bound,
    output: series === null ? bound.output : { array: bound.output },
    emptyValue:
      series === null ? bound.emptyValue : new Array<Value>(series.count).fill(bound.emptyValue),
    description: readText(prefix, "its description", aggregation.description),
  };
}

/** An aggregation as its author wrote it: `lastDistinct(10, "7d", { offset: "-1d" })`. */
function writeCall({ functionName, n, window, offset, series }: Aggregation): string {
  const helper = functionName.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const count = n === null ? "" : `${n}, `;
  const given = { ...(offset !== null && { offset }), ...(series && { series }) };
  const options = Object.keys(given).length === 0 ? "" : `, ${writeObject(given)}`;
  return `${helper}(${count}"${window}"${options})`;
}

function writeObject(value: object): string {
  const fields = Object.entries(value).map(([key, each]: [string, unknown]) => {
    const isObject = typeof each === "object" && each !== null;
    return `${key}: ${isObject ? writeObject(each) : JSON.stringify(each)}`;
  });
  return `{ ${fields.join(", ")} }`;
}

function readFunction(prefix: string, name: string, column: Column): AggregateFunction {
  const aggregate = aggregateFunctions.get(name);
  if (aggregate === undefined) {
    const names = [...aggregateFunctions.keys()].join(", ");
    throw new DefinitionError(`${prefix}, which is no function, expected one of ${names}`);
  }
  if (!aggregate.inputs.includes(column.type)) {
    throw new DefinitionError(
      `${prefix} over a column of type "${column.type}", expected one of ${aggregate.inputs.map((type) => `"${type}"`).join(", ")}`,
    );
  }
  return aggregate;
}

function checkN(prefix: string, aggregate: AggregateFunction, n: number | null): void {
  const parameter = aggregate.n;
  if (parameter === null) {
    if (n === null) return;
    throw new DefinitionError(`${prefix} with a count, which the function does not take`);
  }
  const { name, min, max } = parameter;
  if (n === null) {
    if (!parameter.isRequired) return;
    throw new DefinitionError(`${prefix} without a ${name}, give one from ${min} to ${max}`);
  }
  if (!isNumberFor(parameter, n)) {
    throw new DefinitionError(`${prefix} with a ${name} of ${n}, make it ${writeRange(parameter)}`);
  }
  // It ends up in the feature's name.
  if (String(n).includes("e")) {
    throw new DefinitionError(`${prefix} with a ${name} of ${n}, make it 0 or at least 0.000001`);
  }
}

function readOption(
  prefix: string,
  { option }: AggregateFunction,
  given: Readonly<Record<string, unknown>>,
): number | null {
  for (const name of Object.keys(given)) {
    if (name === option?.name) continue;
    const names = ["offset", "series", "description", ...(option === null ? [] : [option.name])];
    throw new DefinitionError(
      `${prefix} with an unknown option "${name}", expected only ${names.join(", ")}`,
    );
  }
  if (option === null) return null;
  const value = given[option.name] ?? option.default;
  if (isNumberFor(option, value)) return value;
  const found = typeof value === "number" ? value : describe(value);
  throw new DefinitionError(
    `${prefix} with ${option.name} ${found}, make it ${writeRange(option)}`,
  );
}

function writeRange({ min, max, isInteger }: NumberParameter): string {
  return `${isInteger ? "an integer" : "a number"} from ${min} to ${max}`;
}

function readWindow(
  prefix: string,
  aggregation: Aggregation,
  scope: AggregationScope,
): PlacedWindow {
  const { window, offset, series } = aggregation;
  if (window === "lifetime") {
    if (series !== undefined && series !== null) {
      throw new DefinitionError(`${prefix}: a lifetime window makes no series, give it a length`);
    }
    if (offset === null) return { window: { sizeMs: null, offsetMs: 0 }, series: null };
    throw new DefinitionError(`${prefix}: a lifetime window ends at the lead, remove the offset`);
  }
  const sizeMs = readCanonical(prefix, "its window", window);
  if (series === undefined || series === null) {
    const offsetMs = offset === null ? 0 : readOffset(prefix, "its offset", offset);
    return { window: { sizeMs, offsetMs }, series: null };
  }
  if (offset === null) return readSeries(series, { ...scope, prefix, sizeMs });
  throw new DefinitionError(
    `${prefix}: it has an offset and a series, say in the series where it ends`,
  );
}

/** The edges of a window must lie on the grid that its windowing steps on. */
function checkGrid(prefix: string, window: Window, scope: AggregationScope): void {
  const { windowing, intervalMs } = scope;
  if (windowing === "continuous") return;
  const interval = formatDuration(intervalMs);
  if (window.sizeMs !== null && window.sizeMs % intervalMs !== 0) {
    throw new DefinitionError(
      `${prefix} with interval "${interval}", make the window a multiple of the interval`,
    );
  }
  if (windowing === "sliding" && window.offsetMs % intervalMs !== 0) {
    throw new DefinitionError(
      `${prefix} with interval "${interval}", make the offset a multiple of the interval`,
    );
  }
}

function writeName(
  { functionName, n }: Aggregation,
  { window, series }: PlacedWindow,
  scope: AggregationScope,
): string {
  const parts = [
    scope.column.name,
    functionName,
    ...(n === null ? [] : [String(n).replace(".", "_")]),
    window.sizeMs === null ? "lifetime" : formatDuration(window.sizeMs),
    writeSuffix(scope.windowing, scope.intervalMs),
    ...(series === null ? offsetParts(window) : seriesParts(window, series)),
  ];
  return parts.join("_");
}

/** The end of the name of a feature whose window ends before the lead. */
export function offsetParts({ offsetMs }: Window): readonly string[] {
  return offsetMs === 0 ? [] : ["offset", formatDuration(-offsetMs)];
}

function seriesParts(window: Window, series: WindowSeries): readonly string[] {
  const oldest = seriesWindows(window, series)[0] as Window;
  const fromMs = (oldest.sizeMs ?? 0) - oldest.offsetMs;
  return ["series", ...[fromMs, -window.offsetMs, series.stepMs].map(formatDuration)];
}

function writeSuffix(windowing: Windowing, intervalMs: number): string {
  if (windowing === "continuous") return "continuous";
  const interval = formatDuration(intervalMs);
  return windowing === "sawtooth" ? `${interval}_sawtooth` : interval;
}
