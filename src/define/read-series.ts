/** Validates the series of an aggregation: windows that fill a stretch of time from end to end. */

import { formatDuration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { WindowSeries } from "../window/series.ts";
import { describe } from "./brand.ts";
import { checkFields, checkObject, readDuration } from "./check.ts";
import type { Window, Windowing } from "./definition.ts";

/** A window and, where it is the newest of several, the series of them. */
export interface PlacedWindow {
  readonly window: Window;
  readonly series: WindowSeries | null;
}

interface SeriesScope {
  /** The head of errors, with the aggregation as it was written. */
  readonly prefix: string;
  readonly sizeMs: number;
  readonly windowing: Windowing;
  readonly intervalMs: number;
}

/** @throws DefinitionError */
export function readSeries(value: unknown, scope: SeriesScope): PlacedWindow {
  const { prefix, sizeMs } = scope;
  checkObject(prefix, "its series", value);
  const series = value as Readonly<Record<string, unknown>>;
  checkFields(`${prefix}: its series`, series, ["from", "to", "step", "align"]);
  const { from, to = "0s", step, align = "step" } = series;
  const fromMs = readOffset(prefix, "series.from", from);
  const toMs = to === "0s" ? 0 : readOffset(prefix, "series.to", to);
  const stepMs = step === undefined ? sizeMs : readCanonical(prefix, "series.step", step);
  if (align !== "step" && align !== "lead") {
    const found = typeof align === "string" ? `"${align}"` : describe(align);
    throw new DefinitionError(`${prefix}: series.align is ${found}, expected "step" or "lead"`);
  }
  checkStep(stepMs, toMs, scope);
  const count = countWindows({ fromMs, toMs, stepMs }, scope);
  const window = { sizeMs, offsetMs: toMs, ...(align === "step" && { gridMs: stepMs }) };
  return { window, series: { count, stepMs } };
}

/** The windows of a sliding view step on its interval, whatever else they step on. */
function checkStep(stepMs: number, toMs: number, scope: SeriesScope): void {
  const { prefix, windowing, intervalMs } = scope;
  if (windowing !== "sliding") return;
  const interval = formatDuration(intervalMs);
  if (stepMs % intervalMs !== 0) {
    throw new DefinitionError(
      `${prefix} with interval "${interval}", make series.step a multiple of the interval`,
    );
  }
  if (toMs % intervalMs !== 0) {
    throw new DefinitionError(
      `${prefix} with interval "${interval}", make series.to a multiple of the interval`,
    );
  }
}

function countWindows(
  { fromMs, toMs, stepMs }: Readonly<Record<"fromMs" | "toMs" | "stepMs", number>>,
  { prefix, sizeMs }: SeriesScope,
): number {
  const lengthMs = toMs - fromMs;
  if (lengthMs < sizeMs) {
    throw new DefinitionError(
      `${prefix}: its series is shorter than its window, make it start "${formatDuration(sizeMs)}" or more before it ends`,
    );
  }
  if ((lengthMs - sizeMs) % stepMs !== 0) {
    throw new DefinitionError(
      `${prefix}: its windows do not fill the series, make its length of "${formatDuration(lengthMs)}" the window and a multiple of the step "${formatDuration(stepMs)}"`,
    );
  }
  const count = (lengthMs - sizeMs) / stepMs + 1;
  if (count <= limits.seriesWindowsMax) return count;
  throw new DefinitionError(
    `${prefix}: its series has ${count} windows, expected at most ${limits.seriesWindowsMax}`,
  );
}

/** A negative duration, in milliseconds. */
export function readOffset(prefix: string, field: string, offset: unknown): number {
  if (typeof offset !== "string" || !offset.startsWith("-")) {
    throw new DefinitionError(
      `${prefix}: ${field} is not negative, write it with its sign, as in "-1d"`,
    );
  }
  return -readCanonical(prefix, `${field} without the sign`, offset.slice(1));
}

/** The text ends up in the feature's name, so one length has one spelling. */
export function readCanonical(prefix: string, field: string, text: unknown): number {
  const sizeMs = readDuration(prefix, field, text);
  if (sizeMs % 1_000 !== 0) {
    throw new DefinitionError(`${prefix}: ${field} is "${String(text)}", make it whole seconds`);
  }
  const canonical = formatDuration(sizeMs);
  if (text !== canonical) {
    throw new DefinitionError(
      `${prefix}: ${field} is "${String(text)}", write "${canonical}", as feature names do`,
    );
  }
  return sizeMs;
}
