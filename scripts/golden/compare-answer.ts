/** Whether an answer of the wire is the expected value, within what the semantics allow. */

/** `mean` within 2 ulp, variances and deviations within a relative 1e-12, all else equal. */
export function isExpected(functionName: string, expected: unknown, answer: unknown): boolean {
  if (typeof expected === "number" && typeof answer === "number") {
    if (functionName === "mean") return Math.abs(expected - answer) <= 2 * ulp(expected);
    if (/^(var|stddev)_/.test(functionName)) {
      return Math.abs(expected - answer) <= 1e-12 * Math.abs(expected);
    }
  }
  if (Array.isArray(expected)) {
    return (
      Array.isArray(answer) &&
      answer.length === expected.length &&
      expected.every((item, i) => isExpected(functionName, item, answer[i]))
    );
  }
  // The wire gives an int64 as a decimal string; a file may give it as a number.
  if (typeof expected === "bigint") return answer === expected.toString();
  if (typeof expected === "number" && typeof answer === "string") {
    return Number.isInteger(expected) && answer === BigInt(expected).toString();
  }
  return expected === answer;
}

/** The distance to the next double further from zero. */
function ulp(value: number): number {
  const bits = new BigInt64Array(new Float64Array([Math.abs(value)]).buffer);
  const next = new Float64Array(new BigInt64Array([(bits[0] as bigint) + 1n]).buffer);
  return (next[0] as number) - Math.abs(value);
}
