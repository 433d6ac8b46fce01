/**
 * What a client has seen of an entity, as it sends it along with its next request for that entity,
 * to whatever region: it is not answered anything older. An empty token has seen nothing.
 */

import * as z from "zod/mini";
import { decodeBase64, encodeBase64 } from "../core/base64.ts";
import { FeatureError } from "../core/errors.ts";
import type { SeenView, ViewAnswer } from "../serve/view-answer.ts";

export const seenHeader = "x-tilemark-seen";

const integer = z.number().check(z.int());
const schema = z.record(z.string(), z.tuple([integer, z.record(z.string(), integer)]));

/** @throws FeatureError INVALID_REQUEST for text that is not a token. */
export function readSeen(token: string): ReadonlyMap<string, SeenView> {
  if (token === "") return new Map();
  const parsed = schema.safeParse(parseToken(token));
  if (!parsed.success) throw notToken();
  return new Map(
    Object.entries(parsed.data).map(([view, [cut, positions]]) => [
      view,
      { cut, positions: new Map(Object.entries(positions)) },
    ]),
  );
}

/** Base64 of JSON: `{view: [cut, {shard: place}]}`. */
export function writeSeen(answers: readonly ViewAnswer[]): string {
  const rows = answers.flatMap(({ view, seen }) =>
    seen === null ? [] : [[view.name, [seen.cut, Object.fromEntries(seen.positions)]]],
  );
  return encodeBase64(new TextEncoder().encode(JSON.stringify(Object.fromEntries(rows))));
}

function parseToken(token: string): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(decodeBase64(token)));
  } catch (cause) {
    throw notToken(cause);
  }
}

function notToken(cause?: unknown): FeatureError {
  return new FeatureError(
    "INVALID_REQUEST",
    `Cannot read header "${seenHeader}": it is not a token, expected what an earlier answer carried, or nothing`,
    { cause },
  );
}
