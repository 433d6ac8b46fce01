/** An app of two workspaces with keys, tokens and everything below it counted. */

import { randomBytes } from "node:crypto";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import type { CryptoKey, JWTPayload } from "jose";
import { createHome } from "../../adapters/runtimes/server/create-home.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { newApiKey } from "../../src/access/api-key.ts";
import { readKeyRecords } from "../../src/access/key-record.ts";
import type { KeyConfiguration } from "../../src/access/key-record.ts";
import type { Scope } from "../../src/access/principal.ts";
import { sha256Hex } from "../../src/access/sha256.ts";
import { verifyTokens } from "../../src/access/tokens.ts";
import { createApp } from "../../src/http/app.ts";
import { homeRoutes } from "../../src/http/home-routes.ts";
import type { HomeParts, Workspace } from "../../src/http/workspace.ts";
import { MemoryStateTable } from "../../src/store/memory-state-table.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { ManualClock } from "../builders/manual-clock.ts";
import { repository } from "./features.ts";

export const issuer = "https://issuer.example";
export const audience = "tilemark";
const workspaceNames = ["prod", "other"] as const;

export interface GrantSpec {
  readonly workspace?: string;
  readonly scopes: readonly Scope[];
  readonly services?: readonly string[];
}

export class AccessApp {
  readonly clock: ManualClock;
  readonly reported: unknown[] = [];
  readonly homes: ReadonlyMap<string, HomeParts>;
  readonly state: MemoryStateTable;
  readonly app: ReturnType<typeof createApp>;
  readonly adminKey: string;
  readonly staticKey: string;
  readonly signingKey: CryptoKey;
  readonly publicJwk: object;
  /** How often anything was asked of stores, logs, publishers or key books. */
  calls = 0;
  /** Thrown by the key book of "prod" in place of an answer. */
  bookFailure: Error | null = null;

  private constructor(parts: Awaited<ReturnType<typeof makeSecrets>>, nowMs: number) {
    this.clock = new ManualClock(nowMs);
    ({
      adminKey: this.adminKey,
      staticKey: this.staticKey,
      signingKey: this.signingKey,
      publicJwk: this.publicJwk,
    } = parts);
    this.state = new MemoryStateTable();
    const workspaces = workspaceNames.map((name) => this.#workspace(name));
    this.homes = new Map(workspaces.map(({ name, home }) => [name, home as HomeParts]));
    this.app = createApp({
      homeRoutes,
      workspaces,
      clock: this.clock,
      random: () => 0.5,
      testClock: true,
      access: {
        adminKeySha256: [parts.adminSha256],
        keys: readKeyRecords([parts.staticRecord]),
        tokens: verifyTokens({ issuer, audience, keys: { keys: [parts.publicJwk] } as never }),
        background: (work) => void work,
      },
      report: (error) => this.reported.push(error),
    });
  }

  static async build(nowMs: number): Promise<AccessApp> {
    return new AccessApp(await makeSecrets(), nowMs);
  }

  /** A key in the book of a workspace. */
  async createKey({ workspace = "prod", scopes, services }: GrantSpec, expiresAtMs?: number) {
    const home = this.homes.get(workspace) as HomeParts;
    return home.access.createKey(
      {
        name: "test",
        description: "",
        grants: [{ workspace, scopes, services: services ?? "all" }],
        rateLimit: null,
        expiresAtMs: expiresAtMs ?? null,
      },
      { actor: "test", nowMs: this.clock.now() },
    );
  }

  token(claims: JWTPayload = {}, key: CryptoKey | Uint8Array = this.signingKey, alg = "ES256") {
    const seconds = Math.floor(this.clock.now() / 1_000);
    const payload = { iss: issuer, aud: audience, sub: "ann", exp: seconds + 600, ...claims };
    return new SignJWT(payload).setProtectedHeader({ alg, kid: "k1" }).sign(key);
  }

  request(path: string, init: RequestInit = {}, authorization?: string): Promise<Response> {
    const headers = new Headers(init.headers);
    if (authorization !== undefined) headers.set("authorization", authorization);
    return Promise.resolve(
      this.app.request(`https://features.example${path}`, { ...init, headers }),
    );
  }

  #workspace(name: string): Workspace {
    const batch = this.#counted(new MemoryStore());
    const streams = this.#counted(new MemoryStore());
    const state = name === "prod" ? this.state : new MemoryStateTable();
    const home = createHome({
      repository,
      batch,
      streams,
      state,
      openLog: () => openNodeSqlite(":memory:"),
      logShardCount: 1,
      logRetentionMs: 0,
    });
    const shards = new Map(
      home.logs.map((log) => [log, home.logShards(log).map((shard) => this.#counted(shard))]),
    );
    return {
      name,
      repository,
      homes: { batch, streams: [streams] },
      home: {
        logs: home.logs,
        logShards: (log) => shards.get(log) ?? [],
        publisher: this.#counted(home.publisher),
        access: {
          ...bound(this.#counted(home.access)),
          // What authentication itself asks for is not counted.
          keys: () => {
            if (name === "prod" && this.bookFailure !== null)
              return Promise.reject(this.bookFailure);
            return home.access.keys();
          },
        },
      },
    };
  }

  #counted<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        return (...args: unknown[]): unknown => {
          this.calls += 1;
          return Reflect.apply(value, target, args);
        };
      },
    });
  }
}

function bound(access: HomeParts["access"]): HomeParts["access"] {
  return {
    keys: () => access.keys(),
    createKey: (request, by) => access.createKey(request, by),
    rotateKey: (request, by) => access.rotateKey(request, by),
    revokeKey: (request, by) => access.revokeKey(request, by),
    record: (event, nowMs) => access.record(event, nowMs),
    audit: (afterSeq) => access.audit(afterSeq),
  };
}

async function makeSecrets() {
  const admin = newApiKey(randomBytes);
  const configured = newApiKey(randomBytes);
  const staticRecord: KeyConfiguration = {
    id: configured.id,
    name: "configured",
    grants: [{ workspace: "prod", scopes: ["read"] }],
    secrets: [{ sha256: await sha256Hex(configured.key) }],
  };
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
  return {
    adminKey: admin.key,
    adminSha256: await sha256Hex(admin.key),
    staticKey: configured.key,
    staticRecord,
    signingKey: privateKey,
    publicJwk: { ...(await exportJWK(publicKey)), kid: "k1", alg: "ES256" },
  };
}
