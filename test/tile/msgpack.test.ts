import * as fc from "fast-check";
import { Packr } from "msgpackr";
import { expect, test } from "vitest";
import { CorruptRecordError } from "../../src/core/errors.ts";
import { packMsgpack, unpackMsgpack } from "../../src/tile/msgpack.ts";

/** Another implementation, whose bytes are those of every record that was written before. */
const other = new Packr({
  useRecords: false,
  variableMapSize: true,
  moreTypes: false,
  int64AsType: "auto",
} as object);

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.integer({ min: 0, max: 300 }).map((length) => "aé".repeat(length)),
);
const leaf = fc.oneof(
  fc.constantFrom(null, true, false),
  text,
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -0, -1, -32, -33, -129, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.uint8Array({ maxLength: 300 }),
);
const envelope = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.array(tie("any"), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ maxLength: 8 }).filter((key) => key !== "__proto__"),
      tie("any"),
    ),
  ),
})).any;

test("packMsgpack() and unpackMsgpack() agree with another implementation", () => {
  fc.assert(
    fc.property(envelope, (value) => {
      const packed = packMsgpack(value);
      const read = unpackMsgpack(packed);
      expect(read).toEqual(other.unpack(packed));
      expect(unpackMsgpack(new Uint8Array(other.pack(value)))).toEqual(read);
    }),
    { numRuns: 1_000 },
  );
});

test("packMsgpack() writes the bytes that records have always had", () => {
  const written = fc.array(
    fc.oneof(text, fc.integer(), fc.maxSafeInteger(), fc.uint8Array({ maxLength: 70_000 })),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(written, (value) => {
      expect(Buffer.from(packMsgpack(value))).toEqual(Buffer.from(other.pack(value) as Uint8Array));
    }),
  );
});

test("a field that is undefined is left out, and one that was written before is read", () => {
  const value = { there: 1, not: undefined };
  expect(unpackMsgpack(packMsgpack(value))).toStrictEqual({ there: 1 });
  expect(unpackMsgpack(new Uint8Array(other.pack(value)))).toStrictEqual(value);
});

test("a key named __proto__ is a key like any other", () => {
  const read = unpackMsgpack(packMsgpack(JSON.parse('{"__proto__":{"polluted":1}}'))) as object;
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
  expect(Object.keys(read)).toEqual(["__proto__"]);
});

test("unpackMsgpack() refuses what is cut short, goes on, is too deep, or names what is not written", () => {
  const packed = packMsgpack(["text", 300, 1.5, [new Uint8Array(70), -40_000, { key: 2n ** 60n }]]);
  for (let length = 0; length < packed.length; length++) {
    expect(() => unpackMsgpack(packed.subarray(0, length))).toThrow(CorruptRecordError);
  }
  expect(() => unpackMsgpack(new Uint8Array([...packed, 0]))).toThrow("behind its end");
  expect(() => unpackMsgpack(new Uint8Array(40).fill(0x91))).toThrow("too deep");
  for (const bytes of [[0xc1], [0xd4, 1, 0], [0xc7, 1, 1, 0], [0x81, 0x01, 0x01], [0xa1, 0xff]]) {
    expect(() => unpackMsgpack(new Uint8Array(bytes))).toThrow(CorruptRecordError);
  }
  // A length of 4 GiB asks for no memory.
  expect(() => unpackMsgpack(new Uint8Array([0xdd, 255, 255, 255, 255, 0]))).toThrow("ends early");
});
