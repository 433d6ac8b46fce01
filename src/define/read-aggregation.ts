/** Validates one aggregation of a view and works out the name of its feature. */

import type { AggregateFunction } from "../aggregate/aggregate.ts";
import { aggregateFunctions } from "../aggregate/functions.ts";
import { formatDuration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Aggregation } from "./aggregation.ts";
import { describe } from "./brand.ts";
import type { FeatureScope, UnplacedFeature } from "./build-features.ts";
import { readDuration, readText } from "./check.ts";
import type { Column, Window, Windowing } from "./definition.ts";

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
  const window = readWindow(prefix, aggregation);
  checkGrid(prefix, window, scope);
  return {
    name: writeName(aggregation, window, scope),
    column: column.name,
    functionName,
    n,
    window,
    bound: aggregate.bind(column.type, n),
    description: readText(prefix, "its description", aggregation.description),
  };
}

/** An aggregation as its author wrote it: `lastDistinct(10, "7d", { offset: "-1d" })`. */
function writeCall({ functionName, n, window, offset }: Aggregation): string {
  const helper = functionName.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const count = n === null ? "" : `${n}, `;
  const options = offset === null ? "" : `, { offset: "${offset}" }`;
  return `${helper}(${count}"${window}"${options})`;
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

function checkN(prefix: string, { takesCount }: AggregateFunction, n: number | null): void {
  if (n === null) {
    if (takesCount !== "required") return;
    throw new DefinitionError(
      `${prefix} without a count, give one from 1 to ${limits.lastCountMax}`,
    );
  }
  if (takesCount === "none") {
    throw new DefinitionError(`${prefix} with a count, which the function does not take`);
  }
  if (!Number.isInteger(n) || n < 1 || n > limits.lastCountMax) {
    throw new DefinitionError(
      `${prefix} with a count of ${n}, make it an integer from 1 to ${limits.lastCountMax}`,
    );
  }
}

function readWindow(prefix: string, { window, offset }: Aggregation): Window {
  if (window === "lifetime") {
    if (offset === null) return { sizeMs: null, offsetMs: 0 };
    throw new DefinitionError(`${prefix}: a lifetime window ends at the lead, remove the offset`);
  }
  const sizeMs = readCanonical(prefix, "its window", window);
  return { sizeMs, offsetMs: offset === null ? 0 : -readOffset(prefix, offset) };
}

function readOffset(prefix: string, offset: unknown): number {
  if (typeof offset !== "string" || !offset.startsWith("-")) {
    throw new DefinitionError(
      `${prefix}: its offset is not negative, write it with its sign, as in "-1d"`,
    );
  }
  return readCanonical(prefix, "its offset without the sign", offset.slice(1));
}

/** The text ends up in the feature's name, so one length has one spelling. */
function readCanonical(prefix: string, field: string, text: string): number {
  const sizeMs = readDuration(prefix, field, text);
  if (sizeMs % 1_000 !== 0) {
    throw new DefinitionError(`${prefix}: ${field} is "${text}", make it whole seconds`);
  }
  const canonical = formatDuration(sizeMs);
  if (text !== canonical) {
    throw new DefinitionError(
      `${prefix}: ${field} is "${text}", write "${canonical}", as feature names do`,
    );
  }
  return sizeMs;
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

function writeName(aggregation: Aggregation, window: Window, scope: AggregationScope): string {
  const { functionName, n } = aggregation;
  const parts = [
    scope.column.name,
    functionName,
    ...(n === null ? [] : [`${n}`]),
    window.sizeMs === null ? "lifetime" : formatDuration(window.sizeMs),
    writeSuffix(scope.windowing, scope.intervalMs),
    ...(window.offsetMs === 0 ? [] : ["offset", formatDuration(-window.offsetMs)]),
  ];
  return parts.join("_");
}

function writeSuffix(windowing: Windowing, intervalMs: number): string {
  if (windowing === "continuous") return "continuous";
  const interval = formatDuration(intervalMs);
  return windowing === "sawtooth" ? `${interval}_sawtooth` : interval;
}
