/** Numbers of single precision: JavaScript numbers that a float32 holds exactly. */

/** Past this in size a number is an infinity in single precision: half a step over the largest. */
const overflowAt = 2 ** 128 - 2 ** 103;

/** From here on every decimal of so many digits is told from its neighbours (C's FLT_DIG). */
const normalMin = 2 ** -126;
const normalDigitsMin = 6;

/** Digits that tell any two numbers of single precision apart. */
const digitsMax = 9;

/** The nearest number of single precision; null for a finite number past the largest one. */
export function roundToFloat32(value: number): number | null {
  if (Number.isFinite(value) && Math.abs(value) >= overflowAt) return null;
  return Math.fround(value) + 0; // -0 becomes 0.
}

/**
 * The number whose shortest decimal is the shortest one that rounds to `value` in single precision,
 * so that 0.1 in a float32 is written "0.1" and not "0.10000000149011612".
 *
 * @param value - Finite, and of single precision.
 * @example shortestFloat32(Math.fround(0.1)); // 0.1
 */
export function shortestFloat32(value: number): number {
  const digitsMin = Math.abs(value) < normalMin ? 1 : normalDigitsMin;
  for (let digits = digitsMin; digits < digitsMax; digits++) {
    const [nearest, larger] = decimalsAt(value, digits);
    if (Math.fround(nearest) === value) return nearest;
    // Numbers on the far side of a power of two lie twice as far apart.
    if (Math.fround(larger) === value) return larger;
  }
  return decimalsAt(value, digitsMax)[0];
}

/** The nearest decimal of so many digits, and the one after it, away from zero. */
function decimalsAt(value: number, digits: number): readonly [number, number] {
  const [significand = "", exponent = ""] = value.toExponential(digits - 1).split("e");
  const whole = Number(significand.replace(".", ""));
  const scale = Number(exponent) - digits + 1;
  return [Number(`${whole}e${scale}`), Number(`${whole + Math.sign(value)}e${scale}`)];
}
