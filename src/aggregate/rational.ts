/** Exact fractions of integers, and the doubles nearest to them and to their square roots. */

/** The number `numerator / denominator * 2^exponent`; the denominator is positive. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly exponent: number;
}

/** The exponent of the least positive double. */
export const doubleExponentMin = -1074;

// Two bits more than a double holds: one to round by, and one since the quotient may be a bit short.
const quotientBits = 55;

/**
 * The double nearest to a fraction, the even one of two equally near; subnormals included.
 * Past the greatest double it is an infinity, for the caller to refuse.
 *
 * @example roundRational({ numerator: 1n, denominator: 3n, exponent: 0 }); // 1 / 3
 */
export function roundRational({ numerator, denominator, exponent }: Rational): number {
  if (numerator === 0n) return 0;
  const magnitude = numerator < 0n ? -numerator : numerator;
  const shift = quotientBits - (bitLength(magnitude) - bitLength(denominator));
  const dividend = shift > 0 ? magnitude << BigInt(shift) : magnitude;
  const divisor = shift < 0 ? denominator << BigInt(-shift) : denominator;
  const quotient = dividend / divisor;
  // A last bit that stands for everything below keeps a half from looking like one when it is more.
  const sticky = quotient * divisor === dividend ? 0n : 1n;
  const rounded = roundBits((quotient << 1n) | sticky, exponent - shift - 1);
  return numerator < 0n ? -rounded : rounded;
}

/**
 * The square root of a fraction that is not negative, within an ulp; exact also where the fraction
 * itself is past a double or below one. Past the greatest double it is an infinity.
 */
export function squareRootRational(rational: Rational): number {
  if (rational.numerator === 0n) return 0;
  const { numerator, denominator, exponent } = rational;
  const size = bitLength(numerator) - bitLength(denominator) + exponent;
  const half = Math.floor(size / 2);
  const root = Math.sqrt(roundRational({ ...rational, exponent: exponent - 2 * half }));
  // In two steps, of which the first is exact: the power itself may lie just past the doubles' range.
  const step = half > 0 ? 1 : half < -1000 ? -1000 : 0;
  return root * powerOfTwo(step) * powerOfTwo(half - step);
}

/** `2^exponent`, exactly, which `**` does not promise; past the range of doubles 0 or an infinity. */
export function powerOfTwo(exponent: number): number {
  if (exponent < doubleExponentMin) return 0;
  if (exponent > 1023) return Infinity;
  const bit = exponent - doubleExponentMin;
  const high = exponent >= -1022 ? (exponent + 1023) << 20 : bit >= 32 ? 1 << (bit - 32) : 0;
  powerView.setUint32(0, high);
  powerView.setUint32(4, exponent < -1022 && bit < 32 ? 1 << bit : 0);
  return powerView.getFloat64(0);
}

const powerView = new DataView(new ArrayBuffer(8));

/** The double nearest to `magnitude * 2^exponent`; the magnitude has at least 55 bits. */
function roundBits(magnitude: bigint, exponent: number): number {
  const length = bitLength(magnitude);
  if (length + exponent > 1024) return Infinity;
  const target = Math.max(length + exponent - 53, doubleExponentMin);
  const dropped = BigInt(target - exponent);
  const kept = magnitude >> dropped;
  const rest = magnitude - (kept << dropped);
  const half = 1n << (dropped - 1n);
  const up = rest > half || (rest === half && (kept & 1n) === 1n);
  return Number(up ? kept + 1n : kept) * powerOfTwo(target);
}

function bitLength(positive: bigint): number {
  const digits = positive.toString(16);
  return digits.length * 4 - Math.clz32(Number.parseInt(digits[0] as string, 16)) + 28;
}
