/** The wire's values as TypeScript has them, by the types that the answer itself tells. */

/** A data type as an answer spells it. */
export interface WireType {
  readonly type: string;
  /** `date-time` of a string that is a timestamp. */
  readonly format?: string;
  readonly elementType?: WireType;
  readonly valueType?: WireType;
  readonly fields?: readonly { readonly name: string; readonly dataType: WireType }[];
}

/**
 * Int64s become bigints, timestamps milliseconds since 1970, structs objects.
 *
 * @throws TypeError or SyntaxError for a value that is not of its type.
 * @example decodeValue({ type: "array", elementType: { type: "int64" } }, ["1", null]); // [1n, null]
 */
export function decodeValue(type: WireType | undefined, value: unknown): unknown {
  if (value === null) return null;
  switch (type?.type) {
    case "int64":
      return decodeInt64(value);
    case "float64":
      return decodeFloat(value);
    case "float32":
      // Sent as the shortest decimal that rounds to it.
      return Math.fround(decodeFloat(value));
    case "string":
      if (typeof value !== "string") throw wrongType(type.type);
      return type.format === "date-time" ? decodeInstant(value) : value;
    case "boolean":
      if (typeof value !== "boolean") throw wrongType(type.type);
      return value;
    case "array":
      return toArray(value).map((element) => decodeValue(type.elementType, element));
    case "map":
      return decodeMap(type.valueType, value);
    case "struct":
      return decodeStruct(type.fields ?? [], value);
    default:
      throw wrongType("no type of this version");
  }
}

/** @throws TypeError for anything else. */
export function toArray(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongType("array");
  return value;
}

/** Other servers send small ones as numbers. */
function decodeInt64(value: unknown): bigint {
  if (typeof value === "string" || Number.isSafeInteger(value)) return BigInt(value as string);
  throw wrongType("int64");
}

const nonFinite: ReadonlyMap<unknown, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
]);

function decodeFloat(value: unknown): number {
  const number = nonFinite.get(value) ?? value;
  if (typeof number !== "number") throw wrongType("float64");
  return number;
}

function decodeInstant(text: string): number {
  const instantMs = Date.parse(text);
  if (Number.isNaN(instantMs)) throw wrongType("timestamp");
  return instantMs;
}

/** `Object.fromEntries` defines its keys, so that one named "__proto__" is a key like any other. */
function decodeMap(type: WireType | undefined, value: unknown): object {
  if (typeof value !== "object" || Array.isArray(value)) throw wrongType("map");
  return Object.fromEntries(
    Object.entries(value as object).map(([key, element]) => [key, decodeValue(type, element)]),
  );
}

function decodeStruct(fields: NonNullable<WireType["fields"]>, value: unknown): object {
  const values = toArray(value);
  if (values.length !== fields.length) throw wrongType("struct");
  return Object.fromEntries(
    fields.map(({ name, dataType }, i) => [name, decodeValue(dataType, values[i])]),
  );
}

function wrongType(expected: string): TypeError {
  return new TypeError(`Cannot decode a value: it is of another type, expected ${expected}`);
}
