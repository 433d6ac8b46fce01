/** Checks the numbers among the options. */

/** @throws RangeError for a number outside the range, and for what is no number. */
export function checkRange(
  name: string,
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): void {
  if (value >= min && value <= max) return;
  throw new RangeError(
    `Cannot use ${name}: it is ${value}, expected a number from ${min} to ${max}`,
  );
}
