/** The bytes of sketches and value counts: canonical, the same everywhere, refused when broken. */

import { expect, test } from "vitest";
import { functionNamed } from "../../src/aggregate/functions.ts";
import { ByteReader, ByteWriter } from "../../src/core/bytes.ts";
import type { Scalar, ScalarType } from "../../src/core/value.ts";
import { HyperLogLog } from "../../src/aggregate/sketches/hyper-log-log.ts";
import type { Hash64 } from "../../src/aggregate/sketches/hash-scalar.ts";
import { forSeeds, randomFrom } from "../builders/random.ts";
import { answer, bytesOf, fold } from "./function-cases.ts";
import { describeFixedStates } from "./sketch-states.ts";

interface LargeCase {
  readonly name: string;
  readonly type: ScalarType;
  readonly n: number | null;
  readonly option: number | null;
  readonly values: readonly Scalar[];
}

const strings = Array.from({ length: 4_000 }, (_, i) => `m${(i * i) % 1_999}`);
const floats = Array.from({ length: 4_000 }, (_, i) => Math.sin(i) * 10 ** ((i % 40) - 20));

// Each precision has sets of values that are few, that are many, and that are just between.
const largeCases: readonly LargeCase[] = [
  ...[4, 5, 8, 12, 16].flatMap((n) =>
    [2, 3, 4, 6, 7, 47, 48, 49, 50, 767, 768, 769, 770, 4_000].map((count) => ({
      name: "approx_count_distinct",
      type: "float64" as const,
      n,
      option: null,
      values: floats.slice(0, count),
    })),
  ),
  { name: "approx_percentile", type: "float64", n: 0.9, option: 0.001, values: floats },
  { name: "top_k", type: "string", n: 10, option: 1_000, values: strings },
  { name: "top_k", type: "string", n: 10, option: new Set(strings).size, values: strings },
  {
    name: "histogram",
    type: "string",
    n: null,
    option: new Set(strings).size - 1,
    values: strings,
  },
];

test.each(largeCases.map((row) => [row.name, row.n, row.values.length, row] as const))(
  "%s(%f) of %i values has one state, however they are split",
  (...[, , , { name, type, n, option, values }]) => {
    const bound = functionNamed(name).bind(type, n, option);
    const [algebra] = bound.states;
    if (algebra === undefined) return expect.fail("it has a state");
    const events = values.map((value) => ({ value, order: { timestampMs: 0, tie: "" } }));
    const whole = fold([algebra], events)[0];
    const bytes = bytesOf(algebra, whole);
    forSeeds(3, (random) => {
      const merged = algebra.empty();
      const tileCount = random.integer(1, 8);
      const tiles = Array.from({ length: tileCount }, () => algebra.empty());
      for (const { value, order } of random.shuffled(events)) {
        algebra.addInto(random.pick(tiles), value, order);
      }
      // Values that two tiles have are counted in both, so sketches of sets take a repeat too.
      if (name === "approx_count_distinct") tiles.push(fold([algebra], events.slice(1))[0]);
      for (const tile of random.shuffled(tiles)) {
        if (random.next() < 0.5) algebra.mergeInto(merged, tile);
        else algebra.readInto(merged, new ByteReader(bytesOf(algebra, tile)));
      }
      expect(bytesOf(algebra, merged)).toEqual(bytes);
      expect(answer(bound, [merged])).toEqual(answer(bound, [whole]));
    });
  },
);

function sketchBytes(registerBits: number, hashes: readonly Hash64[]): number[] {
  const sketch = new HyperLogLog(registerBits);
  for (const hash of hashes) sketch.addHash(hash);
  const writer = new ByteWriter();
  sketch.write(writer);
  return [...writer.finish()];
}

test("hashes of one place keep the greater rank, few or many", () => {
  // The same 26 bits, then 6 zeros: their ranks are 7, 12 and 39.
  const ranked = [2 ** 31, 2 ** 26, 0].map((low) => ({ high: 0xabcdef40, low }));
  const random = randomFrom(26);
  const others = Array.from({ length: 100 }, () => ({
    high: random.integer(0, 2 ** 32),
    low: random.integer(0, 2 ** 32),
  }));
  for (const registerBits of [4, 8, 16]) {
    const greatest = sketchBytes(registerBits, ranked.slice(2));
    expect(greatest).toEqual([1, 0xe7, 0xde, 0xb7, 0xde, 0x0a]);
    expect(sketchBytes(registerBits, ranked)).toEqual(greatest);
    expect(sketchBytes(registerBits, ranked.toReversed())).toEqual(greatest);
    const many = sketchBytes(registerBits, [...others, ...ranked.slice(2)]);
    expect(sketchBytes(registerBits, [...ranked, ...others])).toEqual(many);
    expect(sketchBytes(registerBits, [...others, ...ranked.toReversed()])).toEqual(many);
  }
});

test("registers are those of the definition, also where all but a few bits are zero", () => {
  forSeeds(20, (random) => {
    const registerBits = random.pick([4, 5, 8]);
    // Few bits are set, so that ranks are high.
    const sparse = () => (2 ** random.integer(0, 32) + 2 ** random.integer(0, 32)) % 2 ** 32;
    const hashes = Array.from({ length: 400 }, () => ({
      high: random.pick([0, random.integer(0, 64) * 2 ** 26, sparse()]),
      low: random.pick([0, sparse()]),
    }));
    const expected = new Array<number>(2 ** registerBits).fill(0);
    for (const { high, low } of hashes) {
      const bits = (BigInt(high) * 2n ** 32n + BigInt(low)).toString(2).padStart(64, "0");
      const register = Number.parseInt(bits.slice(0, registerBits), 2);
      const rank = `${bits.slice(registerBits)}1`.indexOf("1") + 1;
      expected[register] = Math.max(expected[register] as number, rank);
    }
    const packed = sketchBytes(registerBits, hashes).slice(1);
    const bits = packed.map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const registers = expected.map((_, i) => Number.parseInt(bits.slice(6 * i, 6 * i + 6), 2));
    expect(registers).toEqual(expected);
  });
});

test("3/16 codes a register are few, one more is many", () => {
  for (const [registerBits, few] of [
    [4, 3],
    [8, 48],
    [12, 768],
  ] as const) {
    // Each in a place of its own.
    const hashes = Array.from({ length: few + 1 }, (_, i) => ({ high: (i << 20) >>> 0, low: 1 }));
    const header = sketchBytes(registerBits, hashes.slice(0, few));
    expect(new ByteReader(new Uint8Array(header)).varint()).toBe(few);
    const many = sketchBytes(registerBits, hashes);
    expect(new ByteReader(new Uint8Array(many)).varint()).toBe(few + 1);
    expect(many.length).toBe((few > 126 ? 2 : 1) + 0.75 * 2 ** registerBits);
  }
});

test("distinctMax values are counted, one more is an overflow that names no value", () => {
  for (const name of ["top_k", "histogram"]) {
    const bound = functionNamed(name).bind("string", name === "top_k" ? 1 : null, 3);
    const eventsOf = (values: readonly string[]) =>
      values.map((value) => ({ value, order: { timestampMs: 0, tie: "" } }));
    const few = eventsOf(["secret-a", "secret-b", "secret-c", "secret-a"]);
    expect(answer(bound, fold(bound.states, few))).not.toBe("OVERFLOW");
    const states = fold(bound.states, [...few, ...eventsOf(["secret-d"])]);
    expect(() => bound.finish(states)).toThrow(
      `Cannot finish "${name}": it has more distinct values than its distinctMax, expected 3 or fewer`,
    );
    const [algebra] = bound.states;
    const after = algebra && bytesOf(algebra, states[0]);
    expect(after).toEqual(new Uint8Array([4]));
  }
});

test("features over one column share what they can", () => {
  const keyOf = (name: string, n: number | null, option: number | null = null) =>
    functionNamed(name)
      .bind("int64", n, option)
      .states.map(({ key }) => key);
  expect(keyOf("top_k", 3)).toEqual(keyOf("histogram", null));
  expect(keyOf("top_k", 3)).toEqual(keyOf("top_k", 9, 1_000));
  expect(keyOf("top_k", 3)).not.toEqual(keyOf("top_k", 3, 999));
  expect(keyOf("approx_percentile", 0.5)).toEqual(keyOf("approx_percentile", 0.99, 0.01));
  expect(keyOf("approx_percentile", 0.5)).not.toEqual(keyOf("approx_percentile", 0.5, 0.02));
  expect(keyOf("approx_count_distinct", null)).toEqual(keyOf("approx_count_distinct", 8));
  expect(keyOf("approx_count_distinct", null)).not.toEqual(keyOf("approx_count_distinct", 9));
});

test("fixed values have the same state bytes and answers on every runtime", () => {
  expect(describeFixedStates()).toEqual([
    "approx_count_distinct of string: 652542eb073686243576edea30ea97c9 of 53 bytes -> 12",
    "approx_count_distinct of float64: 07a0b66711fbbd98eb1f23e617dea4a1 of 385 bytes -> 2011",
    "approx_count_distinct(4) of int64: 07c1d7850581a1ffa903bfbac0d70381ed8a19fffcf38e04c08ab3a302c0c1c9de01 -> 7",
    "approx_percentile(0.95) of float64: 2d7e94b86a90f58346c12e586ad31af6 of 1841 bytes -> 16517179940923030",
    "approx_percentile(0.5) of int64: 069c9a05ba12d4ba02d4ba02c30ff702010101010201 -> 1.0099504987876842",
    'top_k(3) of string: d60ebc361633a96d76124e2817459f91 of 777 bytes -> [["merchant-1-é",7],["merchant-16-é",7],["merchant-25-é",7]]',
    "histogram of int64: 0700000000000000008002010300ffffffffffff1f0000000000000000200000ffffffffffffff7f01010101010101 -> 57e3dc504d1e1f07ae51a58b448f634b",
  ]);
});

const manyMax = Array(7).fill(0xff);

test.each<[what: string, name: string, bytes: readonly number[]]>([
  ["more codes than are few", "approx_count_distinct", [50, 65]],
  ["a count of codes that asks for memory", "approx_count_distinct", [...manyMax, 0x7f]],
  ["a code with the rank 0", "approx_count_distinct", [1, 64]],
  ["a code with the rank 40", "approx_count_distinct", [1, 104]],
  ["a code past 2^32", "approx_count_distinct", [1, 0x81, 0x80, 0x80, 0x80, 0x10]],
  ["two codes of one place", "approx_count_distinct", [2, 65, 1]],
  ["a code twice", "approx_count_distinct", [2, 65, 0]],
  ["registers of which none is set", "approx_count_distinct", [49, ...Array(192).fill(0)]],
  ["a register past its rank", "approx_count_distinct", [49, 0xe8, ...Array(191).fill(0)]],
  ["bins that ask for memory", "approx_percentile", [...manyMax, 0x7f]],
  ["a bin twice", "approx_percentile", [2, 5, 0, 1, 1]],
  ["a bin counted never", "approx_percentile", [1, 5, 0]],
  ["a count past 2^53", "approx_percentile", [1, 5, ...manyMax, 0x7f]],
  ["a bin past the doubles", "approx_percentile", [1, 0x8b, 0xce, 0x09, 1]],
  ["more values than may be", "top_k", [0xea, 0x07, 5]],
  ["values that ask for memory", "top_k", [...manyMax, 0x7f]],
  ["values out of order", "top_k", [2, 5, 3, 1, 1]],
  ["a value twice", "top_k", [2, 5, 5, 1, 1]],
  ["a value counted never", "top_k", [1, 5, 0]],
])("readInto() refuses %s", (...[, name, bytes]) => {
  const n = { approx_percentile: 0.5, top_k: 3 }[name] ?? null;
  const [algebra] = functionNamed(name).bind("int64", n).states;
  const reader = new ByteReader(new Uint8Array([...bytes, 1, 1, 1]));
  expect(() => algebra?.readInto(algebra.empty(), reader)).toThrow(
    expect.objectContaining({
      code: "CORRUPT_RECORD",
      message: expect.not.stringContaining("record ends"),
    }),
  );
});

test("the greatest bin there is can be read", () => {
  const [algebra] = functionNamed("approx_percentile").bind("float64", 1).states;
  if (algebra === undefined) return expect.fail("it has a state");
  for (const value of [Number.MAX_VALUE, -Number.MAX_VALUE]) {
    const events = [{ value, order: { timestampMs: 0, tie: "" } }];
    const bytes = bytesOf(algebra, fold([algebra], events)[0]);
    const state = algebra.empty();
    algebra.readInto(state, new ByteReader(bytes));
    const writer = new ByteWriter();
    algebra.write(state, writer);
    expect(writer.finish()).toEqual(bytes);
  }
});
