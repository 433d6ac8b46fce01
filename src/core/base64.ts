/** Base64 of bytes, for stores that keep text. Uses the platform's own where there is one. */

import { CorruptRecordError } from "./errors.ts";

interface Base64Platform {
  readonly fromBase64?: (text: string) => Uint8Array;
}

const platform = Uint8Array as unknown as Base64Platform;
const chunkBytes = 0x8000;

export function encodeBase64(bytes: Uint8Array): string {
  const native = (bytes as { readonly toBase64?: () => string }).toBase64;
  if (native !== undefined) return native.call(bytes);
  let binary = "";
  for (let i = 0; i < bytes.length; i += chunkBytes) {
    binary += String.fromCharCode(...bytes.subarray(i, i + chunkBytes));
  }
  return btoa(binary);
}

/** @throws CorruptRecordError when it is not base64. */
export function decodeBase64(text: string): Uint8Array {
  try {
    if (platform.fromBase64 !== undefined) return platform.fromBase64(text);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch (cause) {
    throw new CorruptRecordError("Cannot read record: it is not base64", { cause });
  }
}
