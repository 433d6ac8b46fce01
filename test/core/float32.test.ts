import { expect, test } from "vitest";
import { roundToFloat32, shortestFloat32 } from "../../src/core/float32.ts";
import { forSeeds } from "../builders/random.ts";

test.each([
  [0.1, 0.1],
  [16_777_217, 16_777_216],
  [-0, 0],
  [Infinity, Infinity],
  [3.4028235e38, 3.4028235e38],
  // Half a step over the largest rounds up to infinity, less does not.
  [3.4028235677973366e38, null],
  [3.4028235677973362e38, 3.4028235e38],
  [-1e300, null],
  [1e-46, 0],
])("roundToFloat32(%d) is %d as its shortest decimal", (value, expected) => {
  const rounded = roundToFloat32(value);
  const shown = rounded === null || !Number.isFinite(rounded) ? rounded : shortestFloat32(rounded);
  expect(shown).toBe(expected);
});

test.each([
  // Ryu's own tests of what is shortest at and next to powers of two, and among subnormals.
  [2 ** -96, 1.2621775e-29],
  [2 ** 87, 1.5474251e26],
  [2 ** 90, 1.2379401e27],
  [-(2 ** 90), -1.2379401e27],
  [2 ** -149, 1e-45],
  [2 ** -126, 1.1754944e-38],
  [0, 0],
])("shortestFloat32(%d) is %d", (value, expected) => {
  expect(shortestFloat32(value)).toBe(expected);
});

test("shortestFloat32() is the same number in single precision, and no shorter decimal is", () => {
  forSeeds(2_000, (random) => {
    const bits = new Uint32Array([random.integer(0, 2 ** 32)]);
    const value = new Float32Array(bits.buffer)[0] as number;
    if (!Number.isFinite(value)) return;
    const shortest = shortestFloat32(value);
    expect(Math.fround(shortest)).toBe(value);
    const digits = digitCount(shortest);
    if (digits > 1) expect(Math.fround(Number(value.toPrecision(digits - 1)))).not.toBe(value);
  });
});

function digitCount(value: number): number {
  const [significand = ""] = value.toExponential().split("e");
  return significand.replace(/[-.]/g, "").length;
}
