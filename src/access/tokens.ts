/**
 * Tokens that an identity provider issues (JWT, as OpenID Connect has them), verified with `jose`. A
 * module of its own, so that nobody has it in their bundle who does not import it.
 */

import { errors, jwtVerify } from "jose";
import type { JSONWebKeySet, JWTPayload } from "jose";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { grantsOfClaims } from "./grants-of-claims.ts";
import { keySetOf } from "./key-set.ts";
import type { RemoteKeySet } from "./key-set.ts";
import type { Grant, RateLimit } from "./principal.ts";
import type { TokenVerifier, VerifiedToken } from "./token-verifier.ts";

export type { RemoteKeySet, TokenVerifier };

export interface TokenOptions {
  /** The one issuer, as its tokens' `iss` has it. */
  readonly issuer: string;
  /** What a token's `aud` must be, or hold: tokens for others are not taken. */
  readonly audience: string;
  /** The issuer's public keys, or where to fetch them. */
  readonly keys: JSONWebKeySet | RemoteKeySet;
  /** What a token's claims grant; `grantsOfClaims` if left out. A token it throws for is not taken. */
  readonly grantsOf?: (claims: Readonly<Record<string, unknown>>) => readonly Grant[];
  /** Of each subject; as many as the server answers if left out. */
  readonly rateLimit?: RateLimit;
}

const algorithms = ["ES256", "EdDSA", "RS256"];

/**
 * A verifier for the option `access.tokens`. Tokens are signed with ES256, EdDSA or RS256, name a
 * subject and expire.
 *
 * @throws TypeError for an address of keys that is not https.
 * @example
 * const tokens = verifyTokens({
 *   issuer: "https://issuer.example",
 *   audience: "tilemark",
 *   keys: { url: "https://issuer.example/.well-known/jwks.json", clock: hostClock(), fetch },
 * });
 */
export function verifyTokens(options: TokenOptions): TokenVerifier {
  const keys = keySetOf(options.keys);
  const { issuer, audience, grantsOf = grantsOfClaims, rateLimit } = options;
  return {
    verify: async (token, nowMs) => {
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience,
          algorithms,
          clockTolerance: limits.tokenClockErrorMsMax / 1_000,
          requiredClaims: ["exp", "sub"],
          currentDate: new Date(nowMs),
        });
        return verified(payload, grantsOf(payload), rateLimit);
      } catch (error) {
        if (isOutage(error)) throw error;
        return null;
      }
    },
  };
}

function verified(
  { sub = "", exp = 0 }: JWTPayload,
  grants: readonly Grant[],
  rateLimit: RateLimit | undefined,
): VerifiedToken | null {
  if (sub === "" || sub.length > limits.tokenSubjectLengthMax) return null;
  const principal = { id: `token:${sub}`, grants, ...(rateLimit !== undefined && { rateLimit }) };
  return { principal, expiresAtMs: exp * 1_000 };
}

/** The token may be good: what it takes to tell is away. */
function isOutage(error: unknown): boolean {
  return error instanceof FeatureError || error instanceof errors.JWKSTimeout;
}
