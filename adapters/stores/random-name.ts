/** Names that no other write has: versions of values, and of the parts of large ones. */

import { encodeBase64 } from "../../src/core/base64.ts";

/** Characters of a name, 6 random bits each: two of a billion names are the same once in 10,000 runs. */
export const randomNameLength = 12;

/** Of the letters, digits, `-` and `_`. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array((randomNameLength * 6) / 8));
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_");
}
