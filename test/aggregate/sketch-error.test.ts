/** How far off the sketches are; `npm run sketches` does the same with many more runs. */

import { expect, test } from "vitest";
import { hashScalar, murmur64 } from "../../src/aggregate/sketches/hash-scalar.ts";
import { createLogMapping } from "../../src/aggregate/sketches/log-mapping.ts";
import type { Scalar, ScalarType } from "../../src/core/value.ts";
import { forSeeds, randomFrom } from "../builders/random.ts";
import {
  columnShapes,
  measureCounts,
  measurePercentiles,
  randomHashes,
  valueShapes,
} from "./sketch-figures.ts";

const seed = 20_170_207;

/** Three standard errors of a root mean square that comes from so few runs. */
function samplingError(runs: number): number {
  return 3 / Math.sqrt(2 * runs);
}

test("approx_count_distinct is within its error, for a thousand runs of random hashes", () => {
  const options = { runs: 1_000, cardinalityMax: 3_000 };
  const figures = measureCounts(randomHashes, randomFrom(seed), options);
  for (const each of figures) {
    const text = `seed ${seed}, ${JSON.stringify(each)}`;
    expect(each.rootMeanSquare, text).toBeLessThanOrEqual(1.1);
    expect(each.withinThree, text).toBeGreaterThanOrEqual(0.99);
  }
  // Few are counted exactly, whatever the precision.
  const few = figures.filter(({ cardinality }) => cardinality <= 3);
  expect(few.map(({ rootMeanSquare }) => rootMeanSquare)).toEqual(few.map(() => 0));
});

test.each(Object.entries(valueShapes))(
  "approx_count_distinct is within its error for %s",
  (_, shape) => {
    const options = { runs: 8, cardinalityMax: 30_000 };
    for (const each of measureCounts(shape, randomFrom(seed), options)) {
      const text = `seed ${seed}, ${JSON.stringify(each)}`;
      expect(each.rootMeanSquare, text).toBeLessThanOrEqual(1.1 * (1 + samplingError(each.runs)));
    }
  },
);

test.each([
  ["", "0000000000000000"],
  ["The quick brown fox jumps over the lazy dog", "2f1583c3ecee2c67"],
  ["I will not buy this tobacconist's, it is scratched.", "9b5b7ba2ef3f7866"],
])("murmur64() of %j is %s", (text, hex) => {
  const { high, low } = murmur64(new TextEncoder().encode(text));
  expect([high, low].map((each) => each.toString(16).padStart(8, "0")).join("")).toBe(hex);
});

const hashed: readonly (readonly [string, ScalarType, (i: number) => Scalar])[] = [
  ["sequential ints", "int64", (i) => i],
  ["timestamps a minute apart", "timestamp", (i) => 1_700_000_000_000 + i * 60_000],
  ["prices", "float64", (i) => i / 100],
  ["numbered strings", "string", (i) => `user_${i}`],
  ["hexadecimal ids", "string", (i) => (i * 7_919).toString(16).padStart(8, "0")],
];

test.each(hashed)("hashScalar() of %s is uniform in every byte", (_, type, valueOf) => {
  const count = 2 ** 16;
  const histograms = Array.from({ length: 8 }, () => new Float64Array(256));
  for (let i = 0; i < count; i++) {
    const { high, low } = hashScalar(type, valueOf(i));
    histograms.forEach((histogram, byte) => {
      const word = byte < 4 ? high : low;
      histogram[(word >>> (8 * (byte & 3))) & 0xff]! += 1;
    });
  }
  const expected = count / 256;
  for (const histogram of histograms) {
    const chiSquare = histogram.reduce((sum, own) => sum + (own - expected) ** 2 / expected, 0);
    // 255 degrees of freedom, six standard deviations either way.
    expect(Math.abs(chiSquare - 255)).toBeLessThan(6 * Math.sqrt(2 * 255));
  }
});

test.each(Object.entries(columnShapes))(
  "approx_percentile of 10^5 rows, %s, is within its accuracy of the exact one",
  (_, shape) => {
    const random = randomFrom(seed);
    const values = Array.from({ length: 100_000 }, () => shape[1](random));
    for (const accuracy of [0.001, 0.01, 0.1]) {
      const { worst } = measurePercentiles(shape, values, { accuracy, stepCount: 50 });
      expect(worst, `seed ${seed}, accuracy ${accuracy}`).toBeLessThanOrEqual(1);
    }
  },
);

test("createLogMapping() orders bins as it orders values, and is within its accuracy", () => {
  const view = new DataView(new ArrayBuffer(8));
  for (const accuracy of [0.001, 0.01, 0.037, 0.1]) {
    const { binOf, valueOf, binMax } = createLogMapping(accuracy);
    forSeeds(1_000, (random) => {
      view.setUint32(0, random.integer(0, 0x7ff0_0000));
      view.setUint32(4, random.integer(0, 2 ** 32));
      const value = view.getFloat64(0) * random.pick([1, -1]);
      const bin = binOf(value);
      const answer = valueOf(bin);
      const isSubnormal = Math.abs(value) < 2 ** -1022;
      const errorMax = accuracy * Math.abs(value) + (isSubnormal ? 5e-324 : 0);
      expect(Math.abs(answer - value)).toBeLessThanOrEqual(errorMax);
      expect(binOf(value * (1 - 3 * accuracy))).toSatisfy((less) =>
        value > 0 ? less <= bin : less >= bin,
      );
      expect(binOf(-value)).toBe(-bin);
    });
    expect(binOf(10)).toBe(1 + Math.floor((0.375 / accuracy) * 1077.3125));
    expect(binOf(5e-324)).toBe(1);
    expect(valueOf(1)).toBe(5e-324);
    expect(binOf(Number.MAX_VALUE)).toBe(binMax);
    expect(valueOf(binMax)).toBeGreaterThanOrEqual(Number.MAX_VALUE * (1 - accuracy));
    expect(valueOf(-binMax)).toBeGreaterThanOrEqual(-Number.MAX_VALUE);
    expect(binMax).toBeLessThan(787 / accuracy);
    expect([binOf(0), valueOf(0)]).toEqual([0, 0]);
  }
});
