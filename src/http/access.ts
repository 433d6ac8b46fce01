/** Who may ask: only this machine, or whoever has a key or a token. */

import type { MiddlewareHandler } from "hono";
import { Allowances } from "../access/allowances.ts";
import type { Refusal } from "../access/authenticator.ts";
import { anonymousPrincipal, localPrincipal } from "../access/principal.ts";
import type { KeyRecord } from "../access/key-record.ts";
import type { TokenVerifier } from "../access/token-verifier.ts";
import type { Clock } from "../core/clock.ts";
import { FeatureError } from "../core/errors.ts";
import { createAuthenticator } from "./create-authenticator.ts";
import type { HttpEnv } from "./request-clock.ts";
import type { WorkspacesParts } from "./workspace.ts";

/** Keys and tokens that give access, beside those of the key book. */
export interface KeyAccess {
  /** SHA-256 in hex of operators' keys, which may do everything. */
  readonly adminKeySha256: readonly string[];
  readonly keys: readonly KeyRecord[];
  readonly tokens?: TokenVerifier;
  /** Keeps the host from ending what goes on beside a request. */
  readonly background: (work: Promise<void>) => void;
}

export interface AccessParts extends WorkspacesParts {
  readonly clock: Clock;
  /** "loopback": only names of this machine are answered, whatever they ask. */
  readonly access: "loopback" | KeyAccess;
}

export interface Access {
  readonly middleware: MiddlewareHandler<HttpEnv>;
  /** How many this process has refused, by reason. */
  readonly refused: () => ReadonlyMap<Refusal, number>;
}

/** Every route that is answered whoever asks. */
export const openPaths: ReadonlySet<string> = new Set(["/healthz", "/readyz"]);

/** Every route that is answered without credentials too, and says less then. */
export const describingPaths: ReadonlySet<string> = new Set(["/openapi.json", "/docs"]);

/** Goes before everything that reads a request. */
export function accessOf(parts: AccessParts): Access {
  const { access } = parts;
  if (access === "loopback") {
    return { middleware: requireLoopback, refused: () => new Map() };
  }
  const authenticator = createAuthenticator(parts, access);
  return {
    middleware: authenticate(parts.clock, authenticator),
    refused: () => authenticator.refused,
  };
}

type Authenticator = ReturnType<typeof createAuthenticator>;

function authenticate(clock: Clock, authenticator: Authenticator): MiddlewareHandler<HttpEnv> {
  const allowances = new Allowances();
  return async (c, next) => {
    if (openPaths.has(c.req.path)) return next();
    const authorization = c.req.header("authorization");
    if (authorization === undefined && describingPaths.has(c.req.path)) {
      c.set("principal", anonymousPrincipal);
      return next();
    }
    // Never the request's own instant: that may be what it says it is.
    const nowMs = clock.now();
    const asked = await authenticator.authenticate(authorization, nowMs);
    if (asked.kind === "refused") {
      if (asked.reason === "throttled") throw tooMany(c, 1_000);
      c.header("www-authenticate", "Tecton-key, Bearer");
      throw new FeatureError("UNAUTHENTICATED", "invalid 'Tecton-key' authorization header");
    }
    const { principal } = asked;
    const { id, rateLimit } = principal;
    const waitMs = rateLimit === undefined ? 0 : allowances.take(id, rateLimit, nowMs);
    if (waitMs > 0) throw tooMany(c, waitMs);
    c.set("principal", principal);
    c.set("chargeMore", (count) => {
      if (rateLimit !== undefined) allowances.charge(id, count);
    });
    return next();
  };
}

interface HeaderSetter {
  header(name: string, value: string): void;
}

function tooMany(c: HeaderSetter, waitMs: number): FeatureError {
  c.header("retry-after", String(Math.ceil(waitMs / 1_000)));
  return new FeatureError(
    "RESOURCE_EXHAUSTED",
    "Cannot take the request: there were more than its sender may make, wait before the next",
    { retryable: true },
  );
}

const hostPattern = /^[a-z0-9.:[\]-]{1,255}$/i;
const loopbackPattern = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])$/;

/**
 * Refuses requests for other hosts, which a rebound DNS name would bring, and requests that a
 * browser sends on behalf of a page from another host.
 */
const requireLoopback: MiddlewareHandler<HttpEnv> = async (c, next) => {
  const host = c.req.header("host") ?? new URL(c.req.url).host;
  if (!isLoopbackUrl(`http://${host}`) || !isLoopbackUrl(new URL(c.req.url).origin)) {
    throw new FeatureError(
      "FORBIDDEN",
      `Cannot answer for host "${host.slice(0, 255)}": only this machine has access, expected localhost, 127.0.0.0/8 or [::1]`,
    );
  }
  const origin = c.req.header("origin");
  if (origin !== undefined && !isLoopbackUrl(origin)) {
    throw new FeatureError(
      "FORBIDDEN",
      `Cannot answer a page of "${origin.slice(0, 255)}": only this machine has access, expected a page of localhost, 127.0.0.0/8 or [::1]`,
    );
  }
  // Whoever comes this far may do everything.
  c.set("principal", localPrincipal);
  c.set("chargeMore", () => undefined);
  await next();
};

/** Of a scheme and a host alone: user names, paths and the like have no place there. */
function isLoopbackUrl(text: string): boolean {
  const host = /^https?:\/\/(.*)$/.exec(text)?.[1];
  if (host === undefined || !hostPattern.test(host) || !URL.canParse(text)) return false;
  return loopbackPattern.test(new URL(text).hostname);
}
