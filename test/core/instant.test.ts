import fc from "fast-check";
import { expect, test } from "vitest";
import {
  floorTo,
  formatInstant,
  InstantError,
  instantMsMax,
  parseInstant,
} from "../../src/core/instant.ts";

const seed = 20_260_401;

const accepted: readonly (readonly [unknown, number])[] = [
  ["1970-01-01T00:00:00Z", 0],
  ["2023-06-13T03:20:46.563Z", 1_686_626_446_563],
  ["2023-06-13t03:20:46.563z", 1_686_626_446_563],
  ["2023-06-13 03:20:46.563", 1_686_626_446_563],
  ["2023-06-13T05:20:46.563+02:00", 1_686_626_446_563],
  ["2023-06-12T21:50:46.563-05:30", 1_686_626_446_563],
  ["2022-07-06", 1_657_065_600_000],
  ["2024-02-29", 1_709_164_800_000],
  ["2000-02-29T23:59:59Z", 951_868_799_000],
  ["1970-01-01T00:00:00.1Z", 100],
  ["1970-01-01T00:00:00.123456789Z", 123],
  ["1970-01-01T00:00:00.999999999Z", 999],
  ["1969-12-31T23:59:59.9999Z", -1],
  ["1969-12-31T23:59:59.999000001Z", -1],
  ["1969-12-31T23:59:59.0001Z", -1_000],
  ["0000-01-01T00:00:00Z", -62_167_219_200_000],
  ["0099-12-31T00:00:00Z", -59_011_545_600_000],
  ["9999-12-31T23:59:59.999Z", 253_402_300_799_999],
  ["+275760-09-13T00:00:00Z", 8.64e15],
  ["-271821-04-20T00:00:00Z", -8.64e15],
  [0, 0],
  [-0, 0],
  [-1, -1],
  [8.64e15, 8.64e15],
  [-8.64e15, -8.64e15],
];

test.each(accepted)("parseInstant() reads %s as %d", (value, ms) => {
  expect(parseInstant(value)).toBe(ms);
});

const refused: readonly (readonly [unknown, string])[] = [
  ["2023-02-29", "its day is 29, expected 01 to 28"],
  ["1900-02-29", "its day is 29, expected 01 to 28"],
  ["2023-02-30T00:00:00Z", "its day is 30"],
  ["2023-04-31", "its day is 31, expected 01 to 30"],
  ["2023-01-00", "its day is 0"],
  ["2023-00-01", "its month is 0, expected 01 to 12"],
  ["2023-13-01", "its month is 13"],
  ["2023-01-01T24:00:00Z", "its hour is 24, expected 00 to 23"],
  ["2023-01-01T23:60:00Z", "its minute is 60"],
  ["2016-12-31T23:59:60Z", "leap seconds have no instant"],
  ["2023-01-01T00:00:00+24:00", "its offset hour is 24"],
  ["2023-01-01T00:00:00+01:60", "its offset minute is 60"],
  ["2023-01-01T00:00:00+0100", "text of another form"],
  ["2023-01-01T00:00:00+01", "text of another form"],
  ["2023-01-01T00:00", "text of another form"],
  ["2023-01-01T00:00:00.Z", "text of another form"],
  ["2023-01-01T00:00:00.1234567890Z", "text of another form"],
  ["2023-01-01T", "text of another form"],
  ["2023-01-01Z", "text of another form"],
  ["2023-1-1", "text of another form"],
  ["-000000-01-01", "its year is -000000"],
  ["1657065600000", "text of another form"],
  [" 2023-01-01", "text of another form"],
  ["2023-01-01\n", "text of another form"],
  ["", "text of another form"],
  ["+275760-09-13T00:00:00.001Z", "more than 8640000000000000 milliseconds from 1970"],
  ["-271821-04-19T23:59:59.999Z", "more than 8640000000000000 milliseconds from 1970"],
  [8.64e15 + 1, "more than 8640000000000000 milliseconds from 1970"],
  [1.5, "not whole"],
  [NaN, "not whole"],
  [Infinity, "not whole"],
  [null, "it is null"],
  [undefined, "of type undefined"],
  [true, "of type boolean"],
  [1n, "of type bigint"],
  [new Date(0), "of type object"],
];

test.each(refused)("parseInstant() refuses %s: %s", (value, reason) => {
  expect(() => parseInstant(value)).toThrow(InstantError);
  expect(() => parseInstant(value)).toThrow(reason);
});

test.each([
  [1_657_065_600_000, "2022-07-06T00:00:00Z"],
  [1_686_626_446_563, "2023-06-13T03:20:46.563Z"],
  [1_686_626_446_500, "2023-06-13T03:20:46.500Z"],
  [-1, "1969-12-31T23:59:59.999Z"],
])("formatInstant() writes %d as %s", (ms, text) => {
  expect(formatInstant(ms)).toBe(text);
});

test.each([1.5, NaN, 8.64e15 + 1, -Infinity])("formatInstant() refuses %d", (ms) => {
  expect(() => formatInstant(ms)).toThrow(InstantError);
});

const instants = fc.integer({ min: -instantMsMax, max: instantMsMax });

test("parseInstant() reads what formatInstant() wrote, for any instant", () => {
  fc.assert(
    fc.property(instants, (ms) => parseInstant(formatInstant(ms)) === ms),
    { seed, numRuns: 2_000 },
  );
});

test("parseInstant() agrees with the platform's calendar on any whole second", () => {
  const seconds = fc.integer({ min: -62_167_219_200, max: 253_402_300_799 });
  fc.assert(
    fc.property(seconds, (second) => {
      const text = new Date(second * 1_000).toISOString();
      return parseInstant(text) === Date.parse(text);
    }),
    { seed, numRuns: 2_000 },
  );
});

test("floorTo() is the last multiple at or before, on both sides of 1970", () => {
  const steps = fc.integer({ min: 1, max: 366 * 86_400_000 });
  fc.assert(
    fc.property(instants, steps, (ms, step) => {
      const exact = ((BigInt(ms) % BigInt(step)) + BigInt(step)) % BigInt(step);
      return Object.is(floorTo(ms, step), Number(BigInt(ms) - exact));
    }),
    { seed, numRuns: 2_000 },
  );
});

test.each([
  [0, 5, 0],
  [4, 5, 0],
  [5, 5, 5],
  [-1, 5, -5],
  [-5, 5, -5],
  [-6, 5, -10],
])("floorTo(%d, %d) is %d", (ms, step, expected) => {
  expect(floorTo(ms, step)).toBe(expected);
});
