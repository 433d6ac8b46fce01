import { expect, test } from "vitest";
import { formatDuration, parseDuration } from "../../src/core/duration.ts";

const canonical: readonly (readonly [string, number])[] = [
  ["1ms", 1],
  ["999ms", 999],
  ["1s", 1_000],
  ["90s", 90_000],
  ["5m", 300_000],
  ["70m", 4_200_000],
  ["36h", 129_600_000],
  ["1d", 86_400_000],
  ["45d", 3_888_000_000],
];

test.each(canonical)("parseDuration() and formatDuration() agree on %s", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
  expect(formatDuration(ms)).toBe(text);
});

test.each([
  ["24h", "1d"],
  ["60m", "1h"],
  ["1440m", "1d"],
  ["60000ms", "1m"],
  ["0d", "0s"],
])("formatDuration() writes %s in its largest whole unit, %s", (text, expected) => {
  expect(formatDuration(parseDuration(text))).toBe(expected);
});

test.each([
  "",
  "5",
  "m",
  "-1d",
  "+1d",
  "1.5h",
  "1e3s",
  "05m",
  " 5m",
  "5m ",
  "5M",
  "5w",
  "1d12h",
  "٣m",
])("parseDuration() refuses %j", (text) => {
  expect(() => parseDuration(text)).toThrow(SyntaxError);
  expect(() => parseDuration(text)).toThrow(`Cannot read duration "${text}"`);
});

test("parseDuration() refuses what milliseconds cannot count", () => {
  expect(parseDuration("9007199254740991ms")).toBe(Number.MAX_SAFE_INTEGER);
  expect(() => parseDuration("9007199254740992ms")).toThrow(RangeError);
  expect(() => parseDuration("104249992d")).toThrow(RangeError);
});

test.each([-1, 0.5, NaN, Infinity, 2 ** 53])("formatDuration() refuses %d", (ms) => {
  expect(() => formatDuration(ms)).toThrow(RangeError);
});
