import { expect, test } from "vitest";
import { readTraceParent } from "../../src/observe/trace-parent.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

test("readTraceParent() reads the header, of later versions too", () => {
  expect(readTraceParent(`00-${traceId}-${spanId}-01`)).toEqual({ traceId, spanId, flags: 1 });
  expect(readTraceParent(`01-${traceId}-${spanId}-00-more`)?.flags).toBe(0);
});

const wrong: readonly (string | null)[] = [
  null,
  "",
  "secret",
  `00-${traceId}-${spanId}`,
  `00-${traceId}-${spanId}-01-more`,
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${"0".repeat(32)}-${spanId}-01`,
  `00-${traceId}-${"0".repeat(16)}-01`,
  `00-${traceId}-${spanId}-1`,
];

test.each(wrong)("readTraceParent() finds none in %j", (header) => {
  expect(readTraceParent(header)).toBeNull();
});
