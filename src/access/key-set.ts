/** The public keys of a token's issuer: given, or fetched from where the issuer publishes them. */

import { createLocalJWKSet, errors } from "jose";
import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import type { Clock } from "../core/clock.ts";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { RefreshedCopy } from "./refreshed-copy.ts";

export interface RemoteKeySet {
  /** As `https://issuer.example/.well-known/jwks.json`. */
  readonly url: string;
  readonly clock: Clock;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Keeps the host from ending what goes on beside a request: `waitUntil` on Workers. */
  readonly background?: (work: Promise<void>) => void;
}

/**
 * Finds the key of a token. A key that is not in the set leads to another fetch, once in a while; an
 * issuer that is away is answered for from the last set for up to an hour.
 *
 * @throws TypeError for a URL that is not https, or that holds credentials.
 */
export function keySetOf(keys: JSONWebKeySet | RemoteKeySet): JWTVerifyGetKey {
  if (!("url" in keys)) return createLocalJWKSet(keys);
  const remote = keys as RemoteKeySet;
  const url = readUrl(remote.url);
  const copy = new RefreshedCopy<JWTVerifyGetKey>({
    name: "key set of the tokens' issuer",
    clock: remote.clock,
    refreshMs: limits.keySetRefreshMs,
    freshMs: limits.keySetFreshMs,
    background: remote.background ?? ((work) => void work),
    read: async () => {
      const asOfMs = remote.clock.now();
      return { value: createLocalJWKSet(await fetchKeys(url, remote.fetch)), asOfMs };
    },
  });
  return async (header, token) => {
    const find = await copy.get();
    try {
      return await find(header, token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknown || copy.ageMs < limits.keySetCooldownMs) throw error;
      await copy.refresh();
      return (await copy.get())(header, token);
    }
  };
}

/** A redirect could lead anywhere, so it is none of the answers that are taken. */
async function fetchKeys(url: string, fetch: RemoteKeySet["fetch"]): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(limits.copyReadMsMax);
  const response = await fetch(url, { redirect: "manual", signal });
  if (response.status !== 200) throw unusable(`it answered ${response.status}`);
  const text = await response.text();
  if (text.length > limits.keySetBytesMax) throw unusable("it is too large");
  const keys: unknown = JSON.parse(text);
  const list = (keys as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(list)) throw unusable('it has no list of "keys"');
  return keys as JSONWebKeySet;
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === "https:" && url.username === "" && url.password === "") return url.href;
  throw new TypeError(
    `Cannot fetch the key set of tokens: "${url?.origin ?? "the text"}" is not where one may be, expected https://… without credentials`,
  );
}

function unusable(problem: string): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", `Cannot take the key set of tokens: ${problem}`);
}
