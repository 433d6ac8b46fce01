/** The encoding of an answer, by what its request accepts. Errors are always JSON. */

import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { FeatureError } from "../../core/errors.ts";

export type Encoding = "json" | "msgpack" | "arrow";

export const contentTypes: Readonly<Record<Encoding, string>> = {
  json: "application/json",
  msgpack: "application/msgpack",
  arrow: "application/vnd.apache.arrow.stream",
};

/** What names an encoding in `accept`. Who takes anything takes JSON. */
const accepted: ReadonlyMap<string, Encoding> = new Map([
  [contentTypes.json, "json"],
  ["application/*", "json"],
  ["*/*", "json"],
  [contentTypes.msgpack, "msgpack"],
  ["application/x-msgpack", "msgpack"],
  ["application/vnd.msgpack", "msgpack"],
  [contentTypes.arrow, "arrow"],
]);

/**
 * The best liked of the encodings that are here, the first of equals, a named one before a pattern.
 * JSON where the header names none of ours: clients of this API send it or anything.
 *
 * @throws FeatureError NOT_ACCEPTABLE where all that it names is not here.
 */
export function chooseEncoding(c: Context, here: readonly Encoding[]): Encoding {
  const chosen = accepts(c, {
    header: "Accept",
    supports: [...here],
    default: "json",
    match: (types, { supports, default: fallback }) => {
      const liked = types
        .filter(({ q }) => q > 0)
        .sort((a, b) => b.q - a.q || Number(isPattern(a.type)) - Number(isPattern(b.type)))
        .flatMap(({ type }) => accepted.get(type.toLowerCase()) ?? []);
      return liked.length === 0 ? fallback : (liked.find((each) => supports.includes(each)) ?? "");
    },
  });
  if (chosen !== "") return chosen as Encoding;
  const known = here.map((each) => contentTypes[each]).join(" or ");
  throw new FeatureError(
    "NOT_ACCEPTABLE",
    `Cannot answer in an encoding that header "accept" names: this server does not have it, expected ${known}`,
  );
}

function isPattern(type: string): boolean {
  return type.endsWith("*");
}
