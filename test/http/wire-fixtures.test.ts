/** Bodies that the API's published clients are tested with: ours must be equal to them. */

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { DataType } from "../../src/core/value.ts";
import { loadRepository, onDemandView, service } from "../../src/index.ts";
import { buildTestApp } from "../builders/app.ts";

const folder = resolve(import.meta.dirname, "../../../shared/wire");
/** The fixtures are not ours to copy, so they are read where they lie next to the project. */
const isPresent = existsSync(folder);

interface Fixture {
  readonly file: string;
  readonly view: string;
  readonly output: Readonly<Record<string, DataType>>;
  readonly values: Readonly<Record<string, unknown>>;
}

const fixtures: readonly Fixture[] = [
  {
    file: "java-single.json",
    view: "average_rain",
    output: {
      rain_in_last_24_hrs: "int64",
      precipitation_higher_than_average: "boolean",
      atmospheric_pressure: "float64",
      cloud_type: "string",
      average_temperate_24hrs: "float64",
    },
    values: {
      rain_in_last_24_hrs: 0n,
      precipitation_higher_than_average: false,
      atmospheric_pressure: null,
      cloud_type: "nimbostratus",
      average_temperate_24hrs: 55.5,
    },
  },
  {
    file: "python-single.json",
    view: "average_rain",
    output: {
      rain_in_last_24_hrs: { array: "int64" },
      cloud_type: { array: "string" },
      average_temperate_6hrs: { array: "float64" },
      fake_example: { array: "int64" },
    },
    values: {
      rain_in_last_24_hrs: [0n],
      average_temperate_6hrs: [55.5, 57.88, 58.96, 57.66, null, 55.98],
      fake_example: [0n, 1n, undefined, 3n, 4n, null],
    },
  },
  {
    file: "python-nested.json",
    view: "schema",
    output: {
      map: { map: "int64" },
      two_dimensional_array: { array: { array: "int64" } },
      simple_struct: {
        struct: { string_field: "string", int64_field: "int64", float64_field: "float64" },
      },
      dist_km: "int64",
    },
    values: {
      map: { this: 123n },
      two_dimensional_array: [[123n, null], null, []],
      simple_struct: { float64_field: 123, string_field: "fake-string", int64_field: 12n },
      dist_km: 100n,
    },
  },
];

describe.skipIf(!isPresent)("the fixtures lie beside the project", () => {
  for (const { file, view, output, values } of fixtures) {
    test(`get-features answers with the body of ${file}`, async () => {
      const transform = () => values as never;
      const served = service("fixture", [onDemandView(view, { output, transform })]);
      const app = buildTestApp(loadRepository({ served }), { nowMs: 0 });
      const answer = await app.post("/api/v1/feature-service/get-features", {
        params: {
          feature_service_name: "fixture",
          metadata_options: { include_names: true, include_data_types: true },
        },
      });
      expect(answer.body).toEqual(JSON.parse(readFileSync(resolve(folder, file), "utf8")));
    });
  }
});
