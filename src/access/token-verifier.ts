/** The contract of what verifies tokens that others issue. */

import type { Principal } from "./principal.ts";

export interface TokenVerifier {
  /**
   * Whom a token speaks for; null for one that is not to be taken, for whatever reason.
   * @throws FeatureError STORE_UNAVAILABLE where it cannot be told, as without the issuer's keys.
   */
  verify(token: string, nowMs: number): Promise<VerifiedToken | null>;
}

export interface VerifiedToken {
  readonly principal: Principal;
  readonly expiresAtMs: number;
}
