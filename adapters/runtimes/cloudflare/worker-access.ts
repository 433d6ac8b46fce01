/** Who may ask a worker, by its variables: nobody from elsewhere before they say so. */

import type { TokenVerifier } from "../../../src/access/token-verifier.ts";
import { FeatureError } from "../../../src/core/errors.ts";
import type { KeyAccess } from "../../../src/http/access.ts";
import { keyAccess } from "../key-access.ts";
import type { AccessOptions } from "../key-access.ts";

export interface AccessVariables {
  /** "keys": whoever has a key or a token. Left out, or "loopback": names of this machine alone. */
  readonly TILEMARK_ACCESS?: string;
  /** SHA-256 of operators' keys, as `tilemark key new` prints them, with commas between several. */
  readonly TILEMARK_ADMIN_KEY_SHA256?: string;
  /** JSON of keys that need no book, as `tilemark key new` prints them. */
  readonly TILEMARK_KEYS?: string;
}

export interface WorkerAccessOptions {
  readonly tokens?: TokenVerifier | undefined;
  readonly background?: KeyAccess["background"];
}

/** @throws FeatureError INVALID_DEFINITION, or TypeError, for variables that cannot be read. */
export function readWorkerAccess(
  env: AccessVariables,
  { tokens, background }: WorkerAccessOptions = {},
): "loopback" | KeyAccess {
  const { TILEMARK_ACCESS: access = "loopback", TILEMARK_ADMIN_KEY_SHA256: digests = "" } = env;
  if (access === "loopback") return access;
  if (access !== "keys") {
    throw new FeatureError(
      "INVALID_DEFINITION",
      'Cannot read TILEMARK_ACCESS: it is another word, expected "keys" or "loopback"',
    );
  }
  const options: AccessOptions = {
    adminKeySha256: digests.split(",").filter((digest) => digest.trim() !== ""),
    keys: readKeys(env.TILEMARK_KEYS ?? "[]"),
    ...(tokens !== undefined && { tokens }),
  };
  return keyAccess(options, background);
}

/** What it holds is for `keyAccess` to judge. */
function readKeys(text: string): NonNullable<AccessOptions["keys"]> {
  try {
    return JSON.parse(text) as NonNullable<AccessOptions["keys"]>;
  } catch {
    // The parser's own text holds a piece of it, and so is no cause to give.
    throw new FeatureError(
      "INVALID_DEFINITION",
      "Cannot read TILEMARK_KEYS: it is not JSON, expected a list of keys",
    );
  }
}
