/** Bodies of answers as the wire has them, read back by the types that they declare. */

import { parseInstant } from "../../src/core/instant.ts";
import { toInt64 } from "../../src/core/value.ts";
import type { DataType, ElementType, Value } from "../../src/core/value.ts";
import type { SloInfo } from "../../src/http/slo-info.ts";
import type { ServedFeature } from "../../src/serve/answer-service.ts";
import type { FeatureStatus } from "../../src/serve/view-answer.ts";

export interface WireType {
  readonly type: string;
  readonly elementType?: WireType;
  readonly valueType?: WireType;
  readonly fields?: readonly { readonly name: string; readonly dataType: WireType }[];
}

export interface WireFeature {
  readonly name: string;
  readonly dataType: WireType;
  readonly effectiveTime?: string;
  /** One a row in an answer of many. */
  readonly status?: FeatureStatus | readonly FeatureStatus[];
  readonly description?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

interface WireVector {
  readonly features: readonly unknown[];
}

export interface WireBody {
  readonly result: WireVector | readonly WireVector[];
  readonly metadata?: {
    readonly features?: readonly WireFeature[];
    readonly sloInfo?: SloInfo | readonly SloInfo[];
    readonly batchSloInfo?: SloInfo;
  };
}

export interface WireServiceMetadata {
  readonly inputJoinKeys: readonly WireFeature[];
  readonly inputRequestContextKeys?: readonly WireFeature[];
  readonly featureValues: readonly WireFeature[];
}

/** @throws Error for a type that this version does not have. */
export function decodeType({ type, elementType, valueType, fields }: WireType): DataType {
  if (type === "array") return { array: decodeType(elementType as WireType) };
  if (type === "map") return { map: decodeType(valueType as WireType) };
  if (type === "struct") {
    const named = (fields ?? []).map(({ name, dataType }) => [name, decodeType(dataType)]);
    return { struct: Object.fromEntries(named) as Record<string, DataType> };
  }
  if (!scalarTypes.has(type)) throw new Error(`Cannot decode type "${type}": there is none such`);
  return type as DataType;
}

const scalarTypes = new Set(["int64", "float64", "float32", "string", "boolean"]);

/** A value in memory; one that is not of its type comes out as something else than it was. */
export function decodeWireValue(type: ElementType, wire: unknown): Value {
  if (wire === null) return null;
  if (typeof type === "string") return decodeScalar(type, wire);
  if ("array" in type) {
    return (wire as readonly unknown[]).map((each) => decodeWireValue(type.array, each));
  }
  if ("struct" in type) {
    const values = wire as readonly unknown[];
    return Object.values(type.struct).map((each, i) => decodeWireValue(each, values[i]));
  }
  return Object.fromEntries(
    Object.entries(wire as object).map(([key, each]) => [key, decodeWireValue(type.map, each)]),
  );
}

function decodeScalar(type: string, wire: unknown): Value {
  if (type === "int64") return toInt64(BigInt(wire as string));
  if (type === "float64") return Number(wire);
  if (type === "float32") return Math.fround(Number(wire));
  return wire as Value;
}

/** The feature of one row of an answer. */
export function servedFeature(feature: WireFeature, wire: unknown, row: number): ServedFeature {
  const { name, dataType, effectiveTime, status = "PRESENT", description = null } = feature;
  const type = decodeType(dataType);
  return {
    name,
    type,
    description,
    tags: feature.tags ?? {},
    isCount: false,
    answer: {
      value: decodeWireValue(type, wire),
      status: typeof status === "string" ? status : (status[row] as FeatureStatus),
      effectiveTimeMs: effectiveTime === undefined ? null : parseInstant(effectiveTime),
      degraded: null,
      fault: null,
    },
    waitingCount: null,
    staleness: null,
    cachedAtMs: null,
  };
}
