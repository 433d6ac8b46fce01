/** Who may ask a worker, by its variables: nobody from elsewhere before they say so. */

import type { TokenVerifier } from "../../../src/access/token-verifier.ts";
import { FeatureError } from "../../../src/core/errors.ts";
import type { KeyAccess } from "../../../src/http/access.ts";
import { keyAccess } from "../key-access.ts";
import type { AccessOptions } from "../key-access.ts";
import type { TilemarkEnvironment } from "./environment.ts";

export interface WorkerAccessOptions {
  readonly tokens?: TokenVerifier | undefined;
  readonly background?: KeyAccess["background"];
}

/** @throws FeatureError INVALID_DEFINITION, or TypeError, for variables that cannot be read. */
export function readWorkerAccess(
  env: TilemarkEnvironment,
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
