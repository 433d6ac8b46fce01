/** Tells by an authorization header who asks. */

import { limits } from "../core/limits.ts";
import { Allowances } from "./allowances.ts";
import { apiKeyId } from "./api-key.ts";
import type { KeyBook } from "./key-book.ts";
import { isOver, judgeKey, principalOf } from "./key-record.ts";
import type { KeyRecord, KeyRefusal } from "./key-record.ts";
import type { Principal } from "./principal.ts";
import type { RefreshedCopy } from "./refreshed-copy.ts";
import { equalDigests, sha256Hex } from "./sha256.ts";
import type { TokenVerifier, VerifiedToken } from "./token-verifier.ts";

/** Why someone is not let in. `throttled`: too many were refused before. */
export type Refusal = "missing" | "malformed" | "token" | "throttled" | KeyRefusal;

export type Authentication =
  | { readonly kind: "principal"; readonly principal: Principal }
  | { readonly kind: "refused"; readonly reason: Refusal };

export interface AuthenticatorParts {
  /** Of operators' keys, which may do everything. */
  readonly adminKeySha256: readonly string[];
  /** Of the configuration. */
  readonly keys: readonly KeyRecord[];
  /** The key book of each workspace: what it grants elsewhere does not count. */
  readonly books: ReadonlyMap<string, RefreshedCopy<KeyBook>>;
  readonly tokens?: TokenVerifier | undefined;
}

const failures = "failures";
const failureLimit = {
  requestsPerSecond: limits.failedAuthenticationsPerSecondMax,
  burst: limits.failedAuthenticationsAtOnceMax,
};

// https://www.rfc-editor.org/rfc/rfc7235#section-2.1, "token68": one credential without a comma, as
// two headers of the name would be joined by one.
const headerPattern = /^(Tecton-key|Bearer) ([A-Za-z0-9._~+/-]+=*)$/i;

export class Authenticator {
  readonly #parts: AuthenticatorParts;
  readonly #keys: ReadonlyMap<string, KeyRecord>;
  readonly #failures = new Allowances();
  /** Tokens that were verified a moment ago, by their digest, the oldest first. */
  readonly #tokens = new Map<string, VerifiedToken>();
  readonly #refused = new Map<Refusal, number>();

  constructor(parts: AuthenticatorParts) {
    this.#parts = parts;
    this.#keys = new Map(parts.keys.map((record) => [record.id, record]));
  }

  /** How many were refused, by reason. */
  get refused(): ReadonlyMap<Refusal, number> {
    return this.#refused;
  }

  /** @throws FeatureError STORE_UNAVAILABLE where the key book is needed and away for too long. */
  async authenticate(header: string | undefined, nowMs: number): Promise<Authentication> {
    const judged = await this.#judge(header, nowMs);
    if (typeof judged !== "string") return { kind: "principal", principal: judged };
    const isThrottled = this.#failures.take(failures, failureLimit, nowMs) > 0;
    const reason = isThrottled ? "throttled" : judged;
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
    return { kind: "refused", reason };
  }

  async #judge(header: string | undefined, nowMs: number): Promise<Principal | Refusal> {
    if (header === undefined) return "missing";
    if (header.length > limits.authorizationLengthMax) return "malformed";
    const [, scheme = "", credential = ""] = headerPattern.exec(header) ?? [];
    const id = apiKeyId(credential);
    if (id !== null) return this.#judgeKey(id, credential, nowMs);
    const isToken = scheme.toLowerCase() === "bearer" && !credential.startsWith("tk_");
    return isToken ? this.#judgeToken(credential, nowMs) : "malformed";
  }

  async #judgeKey(id: string, key: string, nowMs: number): Promise<Principal | Refusal> {
    const digest = await sha256Hex(key);
    let isAdmin = false;
    for (const known of this.#parts.adminKeySha256)
      isAdmin = equalDigests(known, digest) || isAdmin;
    if (isAdmin) return { id, grants: "all" };
    const configured = this.#keys.get(id);
    const record = configured ?? (await this.#findInBooks(id));
    const refusal = judgeKey(record, { digest, nowMs });
    if (record !== undefined && refusal === null) return principalOf(record);
    const mayBeNew = refusal === "unknown" || refusal === "wrong-secret";
    if (configured !== undefined || !mayBeNew || !(await this.#refreshBooks())) {
      return refusal ?? "unknown";
    }
    const found = await this.#findInBooks(id);
    return judgeKey(found, { digest, nowMs }) ?? principalOf(found as KeyRecord);
  }

  async #findInBooks(id: string): Promise<KeyRecord | undefined> {
    for (const [workspace, book] of this.#parts.books) {
      const record = (await book.get()).get(id);
      if (record === undefined) continue;
      return { ...record, grants: record.grants.filter((grant) => grant.workspace === workspace) };
    }
    return undefined;
  }

  /** For a key that was made or rotated since they were read. Resolves with whether any was read. */
  async #refreshBooks(): Promise<boolean> {
    const old = [...this.#parts.books.values()].filter((book) => {
      return book.ageMs >= limits.keyBookCooldownMs;
    });
    await Promise.all(old.map((book) => book.refresh()));
    return old.length > 0;
  }

  async #judgeToken(token: string, nowMs: number): Promise<Principal | Refusal> {
    const { tokens } = this.#parts;
    if (tokens === undefined) return "token";
    const digest = await sha256Hex(token);
    const known = this.#tokens.get(digest);
    if (known !== undefined && !isOver(known.expiresAtMs, nowMs)) return known.principal;
    const verified = await tokens.verify(token, nowMs);
    if (verified === null) return "token";
    this.#remember(digest, verified, nowMs);
    return verified.principal;
  }

  #remember(digest: string, { principal, expiresAtMs }: VerifiedToken, nowMs: number): void {
    this.#tokens.delete(digest);
    this.#tokens.set(digest, {
      principal,
      expiresAtMs: Math.min(expiresAtMs, nowMs + limits.tokenRememberedMs),
    });
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > limits.tokensRememberedMax && oldest !== undefined) {
      this.#tokens.delete(oldest);
    }
  }
}
