/** Makes a request that somebody might send by mistake, or on purpose, out of a valid one. */

import type { Random } from "../../test/builders/random.ts";
import type { RequestKind, ValidRequest } from "./valid-requests.ts";

export interface FuzzRequest {
  readonly kind: RequestKind;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer> | null;
}

const mutationsMax = 4;

/** One in ten stays as it is. */
export function mutateRequest(valid: ValidRequest, random: Random): FuzzRequest {
  const isLeft = random.next() < 0.1;
  const { kind, method } = valid;
  const tree = isLeft ? valid.body : mutateTree(valid.body, random);
  const bytes = valid.body === null ? null : encodeBody(tree, isLeft ? null : random);
  return {
    kind,
    method: !isLeft && random.next() < 0.02 ? random.pick(["GET", "PUT", "DELETE"]) : method,
    path: !isLeft && random.next() < 0.05 ? mutatePath(valid.path, random) : valid.path,
    headers: !isLeft && random.next() < 0.2 ? oddHeaders(random) : {},
    body: bytes,
  };
}

/** A place in a JSON tree, by the keys that lead there. */
type Place = readonly string[];

function mutateTree(body: unknown, random: Random): unknown {
  if (body === null) return null;
  let tree: unknown = structuredClone(body);
  const count = random.integer(0, mutationsMax);
  for (let i = 0; i < count; i++) {
    const place = random.pick(placesIn(tree));
    tree = changeAt(tree, place, (value) => mutateValue(value, random));
  }
  return tree;
}

function placesIn(value: unknown, place: Place = []): readonly Place[] {
  if (typeof value !== "object" || value === null || place.length > 12) return [place];
  const inner = Object.entries(value).slice(0, 40);
  return [place, ...inner.flatMap(([key, each]) => placesIn(each, [...place, key]))];
}

function changeAt(value: unknown, place: Place, change: (value: unknown) => unknown): unknown {
  const [key, ...rest] = place;
  if (key === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<
    string,
    unknown
  >;
  define(copy, key, changeAt(copy[key], rest, change));
  return copy;
}

/** Not an assignment: one to `__proto__` is none to a key. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

function mutateValue(value: unknown, random: Random): unknown {
  if (typeof value === "object" && value !== null && random.next() < 0.5) {
    return mutateKeys(value, random);
  }
  if (typeof value === "string" && random.next() < 0.3) return mutateText(value, random);
  return random.pick(oddValues)(random);
}

function mutateKeys(value: object, random: Random): unknown {
  if (Array.isArray(value)) {
    const elements: readonly unknown[] = value;
    const repeated = Array.from({ length: random.integer(0, 60) }, () => elements[0]);
    return random.pick([[...elements, ...elements], [], [elements], repeated]);
  }
  const entries = Object.entries(value);
  const changed: Record<string, unknown> = {};
  for (const [key, each] of random.shuffled(entries)) {
    if (random.next() < 0.1) continue;
    define(changed, random.next() < 0.1 ? respell(key) : key, each);
  }
  if (random.next() < 0.5) define(changed, random.pick(oddKeys), random.pick(oddValues)(random));
  return changed;
}

function respell(key: string): string {
  return key.includes("_")
    ? key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    : key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function mutateText(text: string, random: Random): string {
  const at = random.integer(0, text.length + 1);
  return text.slice(0, at) + random.pick(oddTexts) + text.slice(random.pick([at, text.length]));
}

const oddKeys = [
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "then", "toJSON", "length"],
  ...["", " ", "0", "-1", "a.b", "user_id", "amt", "joinKeyMap", "join_key_map", "params"],
  ...["featureServiceId", "featureServiceName", "\u0000", "\ud800", "💥", "k".repeat(5_000)],
];

const oddTexts = [
  ...["", " ", "\u0000", "\ud800", "\udfff\ud800", "💥", "é", "\u2028", "|", "%", "/", "#", "%2F"],
  ...["NaN", "Infinity", "-Infinity", "-0", "1e999", "0x10", "9223372036854775808", "true"],
  ...["2024-02-30T00:00:00Z", "+275760-09-13T00:00:00Z", "1969-12-31T23:59:60Z", "prod", "fraud"],
];

const oddNumbers = [
  ...[0, -0, 1, -1, 0.1, 1e21, -1e308, 5e-324, 2 ** 31, 2 ** 53, 2 ** 63, -(2 ** 63) - 2_048],
  ...[8.64e15, 8.64e15 + 1, 3.5e38],
];

const oddValues: readonly ((random: Random) => unknown)[] = [
  () => null,
  (random) => random.next() < 0.5,
  (random) => random.pick(oddNumbers),
  (random) => random.pick(oddTexts),
  () => [],
  () => ({}),
  (random) => "x".repeat(random.pick([64, 300, 301, 65_536, 65_537, 200_000])),
  (random) => random.pick(oddTexts).repeat(100),
  (random) => nested(random.integer(2, 400), random),
  (random) => Array.from({ length: random.integer(1, 2_000) }, () => random.pick(oddNumbers)),
  () => JSON.parse('{"__proto__":{"user_id":"u","amt":1}}') as unknown,
  () => ({ toString: 1, valueOf: null, toJSON: "x" }),
];

function nested(depth: number, random: Random): unknown {
  let value: unknown = random.pick(oddNumbers);
  for (let i = 0; i < depth; i++) value = random.next() < 0.5 ? [value] : { a: value };
  return value;
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new TextEncoder().encode(text));
}

/** With `random`, now and then as bytes that no serialiser writes. */
function encodeBody(tree: unknown, random: Random | null): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(tree) ?? "";
  if (random === null || random.next() < 0.75) return encode(text);
  return random.pick(byteMutations)(text, random);
}

const byteMutations: readonly ((text: string, random: Random) => Uint8Array<ArrayBuffer>)[] = [
  (text, random) => encode(text.slice(0, random.integer(0, text.length + 1))),
  (text, random) => spliced(encode(text), [random.integer(0x80, 0x100)], random),
  (text, random) => spliced(encode(text), [0xed, 0xa0, 0x80], random),
  (text, random) => spliced(encode(text), [random.integer(0, 0x80)], random),
  (text) => encode(`\ufeff${text}`),
  (text) => encode(text + text),
  (text) => encode(`  \n\t${text}\r\n `),
  () => new Uint8Array(),
  (_, random) => encode("[".repeat(random.integer(1, 50_000))),
  // The same key twice: the last one counts.
  (text) => encode(text.replace('"params":', '"params":{"featureServiceName":7},"params":')),
  (text, random) => encode(text.replace(/:(\d+)/, () => `:${random.pick(hugeNumbers)}`)),
  (text) => encode(text.replace(/"([a-z_]+)":/i, '"\\u0000$1":')),
];

const hugeNumbers = ["1e400", "-1e400", "9".repeat(400), `0.${"1".repeat(400)}`, "1e-400", "-0.0"];

function spliced(
  bytes: Uint8Array,
  inserted: readonly number[],
  random: Random,
): Uint8Array<ArrayBuffer> {
  const at = random.integer(0, bytes.length + 1);
  return new Uint8Array([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at)]);
}

function mutatePath(path: string, random: Random): string {
  const segments = path.split("/");
  const at = random.integer(1, segments.length);
  segments[at] = random.pick([
    ...["fraud:v2", "fraud%3Av2", "%zz", "%00", "%2F", "..", "", "__proto__", "%ED%A0%80"],
    ...["prod", "none", "💥", "x".repeat(3_000), ":", "get-features", "v1", "v3"],
  ]);
  return segments.join("/");
}

function oddHeaders(random: Random): Readonly<Record<string, string>> {
  const names = random.shuffled(Object.keys(headerValues)).slice(0, random.integer(1, 4));
  return Object.fromEntries(names.map((name) => [name, random.pick(headerValues[name] ?? [""])]));
}

const headerValues: Readonly<Record<string, readonly string[]>> = {
  "content-type": [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "\xe9",
  ],
  "content-encoding": ["gzip", "identity", "x"],
  "content-length": ["0", "7", "99999999999", "-1", "x", "4194305"],
  accept: ["*/*", "application/json", "text/html", "x", "", ";q=", "application/json;q=NaN"],
  "x-tilemark-seen": ["", "e30=", "bnVsbA==", "%%%", "eyJhIjoxfQ==", "A".repeat(9_000)],
  "x-tilemark-now": ["0", "-1", "8640000000000000", "9999999999999999", "x", "1e3"],
  "x-tilemark-workspace": ["prod", "none", "__proto__"],
  "idempotency-key": ['"k"', "k", "", "\xff", "k".repeat(300), '"'],
  host: ["example.com", "localhost", "[::1]:8787", "127.0.0.1.example.com", ""],
  origin: ["null", "http://localhost:1", "https://example.com", "http://localhost@example.com"],
  authorization: ["Bearer x", "Tecton-key x", "x", ""],
  traceparent: ["00-0-0-00", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`, "x"],
};
