import { expect, test } from "vitest";
import type { Value } from "../../src/core/value.ts";
import { writeResult } from "../../src/http/write-get-features.ts";
import type { Answer } from "../../src/http/write-get-features.ts";
import type { ServedFeature } from "../../src/serve/answer-service.ts";

const counts = { array: "int64" } as const;

function served(status: "PRESENT" | "MISSING_DATA", value: Value): ServedFeature {
  const answer = { value, status, effectiveTimeMs: null, degraded: null, fault: null };
  return { name: "v.f", type: counts, isCount: true, answer } as unknown as ServedFeature;
}

test.each<["zero" | "null", boolean, unknown]>([
  ["zero", false, [["0", "3", "0"], [], ["0", "0"]]],
  ["null", false, [[null, "3", null], [], null]],
  ["null", true, [["0", "3", "0"], [], ["0", "0"]]],
])(
  "counts by window or by key, empty ones %s and coerced %s",
  (emptyCount, coerceNullCountsToZero, expected) => {
    const features = [
      served("PRESENT", [0, 3, 0]),
      served("PRESENT", []),
      served("MISSING_DATA", [0, 0]),
    ];
    const answer = {
      service: { emptyCount },
      request: { requestOptions: { coerceNullCountsToZero } },
    };
    expect(writeResult(features, answer as unknown as Answer).features).toEqual(expected);
  },
);
