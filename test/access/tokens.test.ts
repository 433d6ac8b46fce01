/** Tokens as an attacker would make them, and key sets that come late, change or lead elsewhere. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, importJWK, SignJWT } from "jose";
import type { CryptoKey, JWTHeaderParameters } from "jose";
import { afterAll, expect, test } from "vitest";
import { grantsOfClaims } from "../../src/access/grants-of-claims.ts";
import { verifyTokens } from "../../src/access/tokens.ts";
import type { TokenOptions } from "../../src/access/tokens.ts";
import { limits } from "../../src/core/limits.ts";
import { ManualClock } from "../builders/manual-clock.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const nowSeconds = nowMs / 1_000;
const issuer = "https://issuer.example";
const audience = "tilemark";
const keyUrl = `${issuer}/jwks.json`;
const claims = {
  iss: issuer,
  aud: audience,
  sub: "ann",
  exp: nowSeconds + 600,
  scope: "read:prod",
};

const pairs = {
  ES256: await generateKeyPair("ES256", { extractable: true }),
  EdDSA: await generateKeyPair("EdDSA", { extractable: true }),
  RS256: await generateKeyPair("RS256", { extractable: true }),
};
const stranger = await generateKeyPair("ES256", { extractable: true });
const later = await generateKeyPair("ES256", { extractable: true });

async function jwkOf(alg: string, key: CryptoKey, kid = alg) {
  return { ...(await exportJWK(key)), alg, kid };
}

const keySet = {
  keys: await Promise.all(Object.entries(pairs).map(([alg, pair]) => jwkOf(alg, pair.publicKey))),
};
const verifier = verifyTokens({ issuer, audience, keys: keySet });

interface TokenSpec {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Partial<JWTHeaderParameters>;
  readonly key?: CryptoKey | Uint8Array;
}

function tokenOf({ claims: own = {}, header, key = pairs.ES256.privateKey }: TokenSpec = {}) {
  return new SignJWT({ ...claims, ...own })
    .setProtectedHeader({ alg: "ES256", kid: "ES256", ...header })
    .sign(key);
}

test("verify() takes tokens of each algorithm, up to the clock's error past their end", async () => {
  for (const [alg, { privateKey }] of Object.entries(pairs)) {
    const token = await tokenOf({ header: { alg, kid: alg }, key: privateKey });
    expect(await verifier.verify(token, nowMs), alg).toEqual({
      principal: {
        id: "token:ann",
        grants: [{ workspace: "prod", scopes: ["read"], services: "all" }],
      },
      expiresAtMs: nowMs + 600_000,
    });
  }
  const token = await tokenOf();
  const endMs = nowMs + 600_000 + limits.tokenClockErrorMsMax;
  expect(await verifier.verify(token, endMs - 1_000)).not.toBeNull();
  expect(await verifier.verify(token, endMs)).toBeNull();
  expect(
    await verifier.verify(await tokenOf({ claims: { aud: ["x", audience] } }), nowMs),
  ).not.toBeNull();
});

const encoder = new TextEncoder();
const rsa = pairs.RS256;
const attacks: Readonly<Record<string, () => Promise<string>>> = {
  "no signature": async () => `${part({ alg: "none" })}.${part(claims)}.`,
  "no signature, in other letters": async () =>
    `${part({ alg: "nOnE", kid: "ES256" })}.${part(claims)}.`,
  "an empty signature": async () => `${part({ alg: "ES256", kid: "ES256" })}.${part(claims)}.`,
  "a signature of zeros": async () =>
    `${part({ alg: "ES256", kid: "ES256" })}.${part(claims)}.${Buffer.alloc(64).toString("base64url")}`,
  "other claims under a signature": async () => {
    const [header, , signature] = (await tokenOf()).split(".");
    return `${header}.${part({ ...claims, sub: "eve" })}.${signature}`;
  },
  "the public key as a shared secret": async () =>
    tokenOf({
      header: { alg: "HS256", kid: "RS256" },
      key: encoder.encode(await exportSPKI(rsa.publicKey)),
    }),
  "the public key's JSON as a shared secret": async () =>
    tokenOf({
      header: { alg: "HS256", kid: "ES256" },
      key: encoder.encode(JSON.stringify(keySet.keys[0])),
    }),
  "another's key": () => tokenOf({ key: stranger.privateKey }),
  "another's key, put in the header": async () =>
    tokenOf({ header: { jwk: await exportJWK(stranger.publicKey) }, key: stranger.privateKey }),
  "a key set of its own": () =>
    tokenOf({ header: { jku: "https://evil.example/jwks" }, key: stranger.privateKey }),
  "a key id that is a path": () => tokenOf({ header: { kid: "../../etc/passwd" } }),
  "a key of another algorithm": () => tokenOf({ header: { kid: "RS256" } }),
  "an algorithm that is not taken": async () => {
    const key = await importJWK(await exportJWK(rsa.privateKey), "RS512");
    return tokenOf({ header: { alg: "RS512", kid: "RS256" }, key: key as CryptoKey });
  },
  "an extension that must be understood": async () => {
    const [, payload, signature] = (await tokenOf()).split(".");
    return `${part({ alg: "ES256", kid: "ES256", crit: ["x"], x: 1 })}.${payload}.${signature}`;
  },
  "an end that has passed": () => tokenOf({ claims: { exp: nowSeconds - 31 } }),
  "no end": () => tokenOf({ claims: { exp: undefined } }),
  "an end that is text": () => tokenOf({ claims: { exp: `${nowSeconds + 600}` } }),
  "a beginning to come": () => tokenOf({ claims: { nbf: nowSeconds + 31 } }),
  "another audience": () => tokenOf({ claims: { aud: "tilemark2" } }),
  "no audience": () => tokenOf({ claims: { aud: undefined } }),
  "another issuer": () => tokenOf({ claims: { iss: `${issuer}.evil.example` } }),
  "no issuer": () => tokenOf({ claims: { iss: undefined } }),
  "no subject": () => tokenOf({ claims: { sub: undefined } }),
  "an empty subject": () => tokenOf({ claims: { sub: "" } }),
  "a subject past the limit": () =>
    tokenOf({ claims: { sub: "s".repeat(limits.tokenSubjectLengthMax + 1) } }),
  "grants that are none": () => tokenOf({ claims: { tilemark: "all" } }),
  "grants of unknown scopes": () =>
    tokenOf({ claims: { tilemark: [{ workspace: "prod", scopes: ["root"] }] } }),
  "four parts": async () => `${await tokenOf()}.x`,
  "no token": async () => "a.b.c",
};

test.each(Object.keys(attacks))("verify() takes no token with %s", async (name) => {
  const token = await (attacks[name] as () => Promise<string>)();
  expect(await verifier.verify(token, nowMs)).toBeNull();
});

function part(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

test("grantsOfClaims() reads grants, or words of scopes, and nothing else", () => {
  const given = {
    tilemark: [{ workspace: "prod", scopes: ["admin"], services: ["a"] }],
    scope: "read:x",
  };
  expect(grantsOfClaims(given)).toEqual([
    { workspace: "prod", scopes: ["admin"], services: ["a"] },
  ]);
  expect(
    grantsOfClaims({ scp: ["read:prod/fraud", "openid", 7, "root:prod", "read:", "read"] }),
  ).toEqual([{ workspace: "prod", scopes: ["read"], services: ["fraud"] }]);
  expect(grantsOfClaims({ scope: { read: "prod" } })).toEqual([]);
  expect(grantsOfClaims({})).toEqual([]);
});

class Issuer {
  readonly clock = new ManualClock(nowMs);
  fetches = 0;
  answer: (init: RequestInit) => Promise<Response> = () => Promise.resolve(Response.json(keySet));

  verifier(options: Partial<TokenOptions> = {}) {
    const fetch = (_: string, init: RequestInit) => {
      this.fetches += 1;
      return this.answer(init);
    };
    return verifyTokens({
      issuer,
      audience,
      keys: { url: keyUrl, clock: this.clock, fetch },
      ...options,
    });
  }
}

test("a remote key set is fetched once, anew in time, and does for an hour without its issuer", async () => {
  const remote = new Issuer();
  const tokens = remote.verifier();
  const token = await tokenOf({ claims: { exp: nowSeconds + 10_000 } });
  const verify = () => tokens.verify(token, remote.clock.now());
  await Promise.all(Array.from({ length: 20 }, verify));
  expect(remote.fetches).toBe(1);
  await remote.clock.advance(limits.keySetFreshMs + 1);
  expect(await verify()).not.toBeNull();
  expect(remote.fetches).toBe(2);
  remote.answer = () => Promise.reject(new TypeError("fetch failed"));
  await remote.clock.advance(limits.copyStaleMsMax);
  expect(await verify()).not.toBeNull();
  await remote.clock.advance(limits.copyPauseMs);
  await expect(verify()).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
});

test("an unknown key leads to one fetch in a while, and is taken once it is in the set", async () => {
  const remote = new Issuer();
  const tokens = remote.verifier();
  const token = await tokenOf({ header: { kid: "later" }, key: later.privateKey });
  const verify = () => tokens.verify(token, remote.clock.now());
  for (let i = 0; i < 10; i++) expect(await verify()).toBeNull();
  expect(remote.fetches).toBe(1);
  const added = { keys: [...keySet.keys, await jwkOf("ES256", later.publicKey, "later")] };
  remote.answer = () => Promise.resolve(Response.json(added));
  await remote.clock.advance(limits.keySetCooldownMs);
  expect(await verify()).not.toBeNull();
  expect(remote.fetches).toBe(2);
});

test("a key set that is no key set, too large or slow is an outage", async () => {
  const answers: readonly Issuer["answer"][] = [
    () => Promise.resolve(new Response("<html>")),
    () => Promise.resolve(Response.json({ keys: 7 })),
    () => Promise.resolve(Response.json(null)),
    () => Promise.resolve(new Response("", { status: 404 })),
    () => Promise.resolve(new Response(" ".repeat(limits.keySetBytesMax + 1))),
    () => new Promise(() => undefined),
  ];
  const token = await tokenOf();
  for (const answer of answers) {
    const remote = new Issuer();
    remote.answer = answer;
    const verified = remote.verifier().verify(token, nowMs);
    const outcome = expect(verified).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    await remote.clock.advance(limits.copyReadMsMax);
    await outcome;
  }
});

const targets = createServer((_, response) => response.end(JSON.stringify(keySet)));
const redirects = createServer((_, response) => {
  const { port } = targets.address() as AddressInfo;
  response.writeHead(302, { location: `http://127.0.0.1:${port}/` }).end();
});
await new Promise<void>((resolve) => targets.listen(0, "127.0.0.1", resolve));
await new Promise<void>((resolve) => redirects.listen(0, "127.0.0.1", resolve));
afterAll(() => {
  targets.close();
  redirects.close();
});

test("a key set is not followed to where it redirects", async () => {
  const remote = new Issuer();
  let reached = 0;
  targets.on("request", () => (reached += 1));
  const { port } = redirects.address() as AddressInfo;
  // A host's own fetch, which would follow.
  remote.answer = (init) => fetch(`http://127.0.0.1:${port}/`, init);
  const verified = remote.verifier().verify(await tokenOf(), nowMs);
  await expect(verified).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  expect([remote.fetches, reached]).toEqual([1, 0]);
});

test.each(["http://issuer.example/", "https://user:pw@issuer.example/", "file:///etc", "issuer"])(
  "a key set is not fetched from %s",
  (url) => {
    const keys = { url, clock: new ManualClock(), fetch };
    expect(() => verifyTokens({ issuer, audience, keys })).toThrow("Cannot fetch the key set");
    expect(() => verifyTokens({ issuer, audience, keys })).not.toThrow(/pw/);
  },
);
