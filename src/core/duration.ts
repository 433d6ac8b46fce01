/** Durations as text: a whole number and one of the units ms, s, m, h, d. */

/** A duration literal such as `5m`, `36h` or `30d`; a day is 24 hours. */
export type Duration = `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const unitMs: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

const durationPattern = /^(0|[1-9]\d*)(ms|s|m|h|d)$/;

/**
 * The length of a duration, in milliseconds.
 *
 * @throws SyntaxError when the text is not a duration, RangeError when it is past 2^53 milliseconds.
 * @example parseDuration("36h"); // 129600000
 */
export function parseDuration(text: string): number {
  const match = durationPattern.exec(text);
  if (match === null) {
    throw new SyntaxError(
      `Cannot read duration "${text}": expected a whole number and a unit, as in "90s", "5m", "36h" or "30d"`,
    );
  }
  const ms = Number(match[1]) * (unitMs[match[2] as string] as number);
  if (!Number.isSafeInteger(ms)) {
    throw new RangeError(`Cannot read duration "${text}": it is past 2^53 milliseconds`);
  }
  return ms;
}

/**
 * The canonical text of a duration: in the largest unit that leaves it whole.
 *
 * @throws RangeError when it is not an integer from 0 to 2^53.
 * @example formatDuration(86_400_000); // "1d"
 */
export function formatDuration(durationMs: number): Duration {
  if (!Number.isSafeInteger(durationMs) || durationMs < 0) {
    throw new RangeError(
      `Cannot write duration "${durationMs}": expected an integer of milliseconds from 0 to 2^53`,
    );
  }
  if (durationMs === 0) return "0s";
  for (const unit of ["d", "h", "m", "s"] as const) {
    const size = unitMs[unit] as number;
    if (durationMs % size === 0) return `${durationMs / size}${unit}`;
  }
  return `${durationMs}ms`;
}
