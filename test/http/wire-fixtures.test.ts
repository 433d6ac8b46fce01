/**
 * Bodies that the API's published clients are tested with: from the types and values that a body
 * declares, and nothing else, our encoders write the same body. Any other body of these shapes can be
 * laid into the folder and is read as well.
 */

import { existsSync, readFileSync, readdirSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import type { MetadataOptions, RequestOptions } from "../../src/http/read-get-features.ts";
import { encodeSloInfo } from "../../src/http/slo-info.ts";
import { writeGetFeatures } from "../../src/http/write-get-features.ts";
import type { Answer } from "../../src/http/write-get-features.ts";
import { writeGetFeaturesBatch } from "../../src/http/write-get-features-batch.ts";
import { writeServiceMetadata } from "../../src/http/write-service-metadata.ts";
import { loadRepository, onDemandView, service } from "../../src/index.ts";
import { freezeValue } from "../../src/serve/freeze-value.ts";
import { buildTestApp } from "../builders/app.ts";
import { decodeType, decodeWireValue, servedFeature } from "./wire-body.ts";
import type { WireBody, WireFeature, WireServiceMetadata } from "./wire-body.ts";
import { fraud } from "./features.ts";

const folder = resolve(import.meta.dirname, "../../../shared/wire");
/** The fixtures are not ours to copy, so they are read where they lie next to the project. */
const files = existsSync(folder)
  ? readdirSync(folder).filter((file) => file.endsWith(".json"))
  : [];

function readBody(file: string): unknown {
  return JSON.parse(readFileSync(resolve(folder, file), "utf8"));
}

describe.skipIf(files.length === 0)("the fixtures lie beside the project", () => {
  test.each(files)("our encoders write the body of %s", (file) => {
    const body = readBody(file);
    expect(canonicalText(rewriteBody(body))).toBe(canonicalText(body));
  });

  test.each(files.filter((file) => isServable(readBody(file))))(
    "get-features answers with the body of %s",
    async (file) => {
      const body = readBody(file) as WireBody;
      const answer = await serveBody(body);
      expect(canonicalText(answer)).toBe(canonicalText(body));
    },
  );
});

const shapes: readonly [name: string, dataType: object, values: readonly unknown[]][] = [
  ["float32 in arrays", arrayOf({ type: "float32" }), [[0.1, null, "NaN", -1e-45, 3e38], []]],
  ["booleans in arrays", arrayOf({ type: "boolean" }), [[true, null, false], null]],
  [
    "structs in arrays",
    arrayOf(structOf({ at: "string", n: "int64" })),
    [[["x", "9007199254740993"], null, [null, null]], []],
  ],
  [
    "maps of structs",
    { type: "map", keyType: { type: "string" }, valueType: structOf({ x: "float64" }) },
    [{ a: [1.5], b: null, c: [null], d: ["-Infinity"] }, {}],
  ],
];

test.each(shapes)("the fixture test reads bodies with %s", (_, dataType, values) => {
  const features = [
    {
      name: "view.full",
      effectiveTime: "2023-06-13T03:20:46.563Z",
      dataType,
      description: "What it is",
      tags: { team: "risk" },
      status: "PRESENT",
    },
    {
      name: "view.cached",
      effectiveTime: "2022-07-06T00:00:00Z",
      dataType,
      tags: {},
      status: "CACHED_MISSING_DATA",
    },
    { name: "view.late", dataType: { type: "int64" }, tags: {}, status: "TIME_OUT" },
  ];
  const sloInfo = {
    sloEligible: false,
    sloIneligibilityReasons: ["REDIS_LATENCY_LIMIT_EXCEEDED", "UNKNOWN"],
    dynamodbResponseSizeBytes: 7,
    serverTimeSeconds: 0.5,
    storeMaxLatency: 0.03,
  };
  const body = { result: { features: [...values, null] }, metadata: { features, sloInfo } };
  expect(canonicalText(rewriteBody(body))).toBe(canonicalText(body));
  const wrong = { ...body, result: { features: [...values, "01"] } };
  expect(canonicalText(rewriteBody(wrong))).not.toBe(canonicalText(wrong));
});

function arrayOf(elementType: object): object {
  return { type: "array", elementType };
}

function structOf(fields: Readonly<Record<string, string>>): object {
  const named = Object.entries(fields).map(([name, type]) => ({ name, dataType: { type } }));
  return { type: "struct", fields: named };
}

/** Decodes a body by the types it declares, and encodes it again. */
function rewriteBody(body: unknown): unknown {
  if ("featureServiceType" in (body as object)) return rewriteMetadata(body as WireServiceMetadata);
  const { result, metadata } = body as WireBody;
  const { features = [], sloInfo, batchSloInfo } = metadata ?? {};
  const answer = answerWith(metadataOptionsOf(features));
  const vectors = "features" in result ? [result] : result;
  const rows = vectors.map((row, rowIndex) =>
    features.map((feature, i) => servedFeature(feature, row.features[i], rowIndex)),
  );
  const written = (
    "features" in result
      ? writeGetFeatures(rows[0] ?? [], answer)
      : writeGetFeaturesBatch(rows, answer)
  ) as { readonly metadata: object };
  return {
    ...written,
    metadata: {
      ...written.metadata,
      ...(sloInfo !== undefined && {
        sloInfo: "sloEligible" in sloInfo ? encodeSloInfo(sloInfo) : sloInfo.map(encodeSloInfo),
      }),
      ...(batchSloInfo !== undefined && { batchSloInfo: encodeSloInfo(batchSloInfo) }),
    },
  };
}

function rewriteMetadata(body: WireServiceMetadata): unknown {
  const decode = ({ name, dataType }: WireFeature) => ({ name, type: decodeType(dataType) });
  return writeServiceMetadata({
    joinKeys: body.inputJoinKeys.map(decode),
    requestContextKeys: (body.inputRequestContextKeys ?? []).map(decode),
    features: body.featureValues.map(decode),
  } as Parameters<typeof writeServiceMetadata>[0]);
}

/** Asked for is what any feature has. */
function metadataOptionsOf(features: readonly WireFeature[]): MetadataOptions {
  const has = (field: keyof WireFeature) => features.some((feature) => field in feature);
  return {
    includeNames: has("name"),
    includeDataTypes: has("dataType"),
    includeEffectiveTimes: has("effectiveTime"),
    includeServingStatus: has("status"),
    includeFeatureDescriptions: has("description"),
    includeFeatureTags: has("tags"),
    includeSloInfo: false,
    includeDetails: false,
  };
}

const requestOptions: RequestOptions = {
  coerceNullCountsToZero: false,
  ignoreExtraRequestContextFields: false,
  readFromCache: true,
  writeToCache: true,
  latencyBudgetMs: null,
};

function answerWith(metadataOptions: MetadataOptions): Answer {
  const cost = { storeBytes: 0, serverMs: 0, transformMs: 0 };
  const request = { metadataOptions, requestOptions };
  return { service: fraud, request, cost, explanation: null };
}

/** Names and types alone, of one view: an on-demand view can be declared that answers with it. */
function isServable(body: unknown): boolean {
  const { result, metadata } = body as WireBody;
  const features = metadata?.features ?? [];
  const views = new Set(features.map(({ name }) => name.split(".")[0]));
  const plain = features.every((feature) => Object.keys(feature).length === 2);
  return (
    result !== undefined &&
    "features" in result &&
    plain &&
    views.size === 1 &&
    metadata?.sloInfo === undefined
  );
}

async function serveBody({ result, metadata }: WireBody): Promise<unknown> {
  const features = metadata?.features ?? [];
  const [view = ""] = features[0]?.name.split(".") ?? [];
  const outputs = features.map(({ name, dataType }, i) => {
    const type = decodeType(dataType);
    const wire = "features" in result ? result.features[i] : null;
    return [
      name.slice(view.length + 1),
      type,
      freezeValue(type, decodeWireValue(type, wire)),
    ] as const;
  });
  const served = onDemandView(view, {
    output: Object.fromEntries(outputs.map(([name, type]) => [name, type])) as never,
    transform: () => Object.fromEntries(outputs.map(([name, , value]) => [name, value])) as never,
  });
  const repository = loadRepository({ fixture: service("fixture", [served]) });
  const answer = await buildTestApp(repository, { nowMs: 0 }).post(
    "/api/v1/feature-service/get-features",
    {
      params: {
        feature_service_name: "fixture",
        metadata_options: { include_names: true, include_data_types: true },
      },
    },
  );
  return answer.body;
}

/** Fields of an answer in the order that they have, but for sizes and times, of which there is none. */
function canonicalText(body: unknown): string {
  return JSON.stringify(body, (key, value: unknown) => {
    if (key !== "sloInfo" && key !== "batchSloInfo") return value;
    return Array.isArray(value) ? value.map(sorted) : sorted(value);
  });
}

function sorted(info: unknown): unknown {
  return Object.fromEntries(Object.entries(info as object).sort(([a], [b]) => (a < b ? -1 : 1)));
}
