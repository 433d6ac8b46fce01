/**
 * API keys as they are written:
 *
 *   tk_{id}_{secret}_{crc}      tk_4f0c91ab52de_Zm9v…(43)…YmE_9ae0daaf
 *
 * The id is 12 hex digits and no secret: logs and listings name keys by it. The secret is 32 random
 * bytes in base64url. The crc is CRC-32 of what stands before its underscore, 8 hex digits, so that a
 * scanner knows a key when it sees one, and a mistyped key is refused without asking anyone.
 */

import { encodeBase64 } from "../core/base64.ts";
import { crc32 } from "../core/crc32.ts";

/** So many bytes from a cryptographic source. */
export type RandomBytes = (count: number) => Uint8Array;

const idBytes = 6;
const secretBytes = 32;
const pattern = /^(tk_([0-9a-f]{12})_[A-Za-z0-9_-]{43})_([0-9a-f]{8})$/;

export const keyIdPattern = /^[0-9a-f]{12}$/;

export interface NewApiKey {
  readonly id: string;
  /** To be told once. At rest there is its SHA-256 alone. */
  readonly key: string;
}

/** A new key, or another one of the same id. */
export function newApiKey(randomBytes: RandomBytes, id = newKeyId(randomBytes)): NewApiKey {
  const secret = encodeBase64(randomBytes(secretBytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace("=", "");
  const head = `tk_${id}_${secret}`;
  return { id, key: `${head}_${crcText(head)}` };
}

/** The id of a key; null for text that is none. */
export function apiKeyId(text: string): string | null {
  const [, head, id, crc] = pattern.exec(text) ?? [];
  return head !== undefined && id !== undefined && crc === crcText(head) ? id : null;
}

function newKeyId(randomBytes: RandomBytes): string {
  return Array.from(randomBytes(idBytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function crcText(head: string): string {
  return crc32(head).toString(16).padStart(8, "0");
}
