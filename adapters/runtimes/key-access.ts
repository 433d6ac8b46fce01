/** Access by keys and tokens as operators configure it, in options or in a worker's variables. */

import { readKeyRecords } from "../../src/access/key-record.ts";
import type { KeyConfiguration } from "../../src/access/key-record.ts";
import type { TokenVerifier } from "../../src/access/token-verifier.ts";
import type { KeyAccess } from "../../src/http/access.ts";

/** Each one is enough for a start: further keys are made over the admin routes. */
export interface AccessOptions {
  /**
   * Of operators' keys, which may do everything: the SHA-256 that `tilemark key new` prints with
   * each. Several while one takes the place of another.
   */
  readonly adminKeySha256?: string | readonly string[];
  /** Keys that need no book: `{id, name, grants, secrets: [{sha256}]}`, as `tilemark key new` prints. */
  readonly keys?: readonly KeyConfiguration[];
  /** For tokens of an identity provider; made by `verifyTokens` of `tilemark/tokens`. */
  readonly tokens?: TokenVerifier;
}

/**
 * @param background - Keeps the host from ending what goes on beside a request.
 * @throws TypeError for a digest that is none; FeatureError INVALID_DEFINITION for keys that are not.
 */
export function keyAccess(
  { adminKeySha256 = [], keys = [], tokens }: AccessOptions,
  background: KeyAccess["background"] = (work) => void work,
): KeyAccess {
  const digests = typeof adminKeySha256 === "string" ? [adminKeySha256] : adminKeySha256;
  return {
    adminKeySha256: digests.map(readDigest),
    keys: readKeyRecords(keys),
    ...(tokens !== undefined && { tokens }),
    background,
  };
}

/** What the audit log says of it: ids, and first digits of digests. */
export function describeAccess(access: "loopback" | KeyAccess): string {
  if (access === "loopback") return access;
  const { adminKeySha256, keys, tokens } = access;
  return [
    ...adminKeySha256.map((digest) => `admin ${digest.slice(0, 8)}`),
    ...keys.map(({ id }) => `key ${id}`),
    ...(tokens === undefined ? [] : ["tokens"]),
  ].join(", ");
}

/** From the host's cryptographic source. */
export function randomBytes(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

function readDigest(text: string): string {
  const digest = text.trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digest)) return digest;
  throw new TypeError(
    "Cannot take the digest of an admin key: it is no SHA-256, expected 64 hex digits as `tilemark key new` prints",
  );
}
