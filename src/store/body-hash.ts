/** Tells the bodies of log rows apart: a repeat of an id is one only if its body is the same. */

import { xxh32 } from "../core/hash.ts";

export function bodyHash(body: Uint8Array): string {
  return `${xxh32(body, 0).toString(16)}-${xxh32(body, 1).toString(16)}`;
}
