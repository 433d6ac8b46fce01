/** Routes under `/admin/keys`: the key book of a workspace. */

import { Hono } from "hono";
import type { Context } from "hono";
import * as z from "zod/mini";
import type { Refusal } from "../access/authenticator.ts";
import {
  descriptionSchema,
  isOver,
  nameSchema,
  rateLimitSchema,
  servicesSchema,
} from "../access/key-record.ts";
import type { KeyRecord } from "../access/key-record.ts";
import { secretIdLength, secretIdOf } from "../access/home-access.ts";
import type { Doer } from "../access/home-access.ts";
import { keyIdPattern } from "../access/api-key.ts";
import { scopes } from "../access/principal.ts";
import { FeatureError } from "../core/errors.ts";
import { formatInstant, parseInstant } from "../core/instant.ts";
import { limits } from "../core/limits.ts";
import type { Repository } from "../define/definition.ts";
import type { Json } from "./encode-value.ts";
import { parseEnvelope } from "./parse-envelope.ts";
import { readJson } from "./read-body.ts";
import type { HttpEnv } from "./request-clock.ts";
import { homeOf } from "./workspace.ts";

export interface KeyRoutesParts {
  readonly clock: { now(): number };
  /** How many this process has refused, by reason. */
  readonly refused: () => ReadonlyMap<Refusal, number>;
}

export function keyRoutes({ clock, refused }: KeyRoutesParts): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .get("/keys", async (c) => {
      const keys = await homeOf(c.var.workspace).access.keys();
      return c.json({
        keys: keys.map((record) => writeKey(record)) as object[],
        authenticationFailures: Object.fromEntries(refused()),
      });
    })
    .post("/keys/create", async (c) => {
      const request = readCreate(await readKeyJson(c), c.var.workspace.name);
      if (isOver(request.expiresAtMs, clock.now())) throw past("expiresAt");
      refuseUnknownServices(request.grants, c.var.workspace.repository);
      const issued = await homeOf(c.var.workspace).access.createKey(request, doerOf(c, clock));
      return c.json({ key: issued.key, ...(writeKey(issued.record) as object) });
    })
    .post("/keys/rotate", async (c) => {
      const { id, oldExpiresAt } = parseEnvelope(rotateSchema, await readKeyJson(c));
      const oldExpiresAtMs = readInstant("oldExpiresAt", oldExpiresAt);
      const request = { id, oldExpiresAtMs };
      const issued = await homeOf(c.var.workspace).access.rotateKey(request, doerOf(c, clock));
      return c.json({ key: issued.key, ...(writeKey(issued.record) as object) });
    })
    .post("/keys/revoke", async (c) => {
      const { id, secret = null } = parseEnvelope(revokeSchema, await readKeyJson(c));
      const request = { id, secret };
      const record = await homeOf(c.var.workspace).access.revokeKey(request, doerOf(c, clock));
      return c.json(writeKey(record) as object);
    });
}

function readKeyJson(c: Context<HttpEnv>): Promise<unknown> {
  return readJson(c.req.raw, limits.requestBodyBytesMax);
}

/** By the clock: a request may say itself what instant it is for. */
function doerOf(c: Context<HttpEnv>, clock: { now(): number }): Doer {
  return { actor: c.var.principal.id, nowMs: clock.now() };
}

const text = z.string("a string");
const id = text.check(z.regex(keyIdPattern, "the id of a key, 12 hex digits"));
const rotateSchema = z.object({ id, oldExpiresAt: z.optional(text) }, "an object");
const revokeSchema = z.object(
  {
    id,
    secret: z.optional(
      text.check(z.regex(/^[0-9a-f]{8}$/, `the ${secretIdLength} digits that name a secret`)),
    ),
  },
  "an object",
);
/** A grant is of the workspace whose book it is. */
const grantSchema = z.object(
  {
    workspace: z.optional(nameSchema),
    scopes: z
      .array(z.enum(scopes, `one of ${scopes.join(", ")}`), "a list of scopes")
      .check(z.minLength(1, "at least one scope"), z.maxLength(scopes.length, "each scope once")),
    services: z._default(servicesSchema, "all"),
  },
  "an object",
);
const createSchema = z.object(
  {
    name: nameSchema,
    description: z._default(descriptionSchema, ""),
    grants: z
      .array(grantSchema, "a list of grants")
      .check(
        z.minLength(1, "at least one grant"),
        z.maxLength(limits.grantsMax, `at most ${limits.grantsMax} grants`),
      ),
    rateLimit: z.optional(rateLimitSchema),
    expiresAt: z.optional(text),
  },
  "an object",
);

function readCreate(body: unknown, workspace: string) {
  const { name, description, grants, rateLimit, expiresAt } = parseEnvelope(createSchema, body);
  if (grants.some((grant) => (grant.workspace ?? workspace) !== workspace)) {
    throw new FeatureError(
      "INVALID_REQUEST",
      "Cannot create a key: it would grant something in another workspace, create it there",
    );
  }
  return {
    name,
    description,
    grants: grants.map((grant) => ({ ...grant, workspace })),
    rateLimit: rateLimit ?? null,
    expiresAtMs: readInstant("expiresAt", expiresAt),
  };
}

/** A key for a service that is misspelt would be refused everywhere, and say nothing of why. */
function refuseUnknownServices(
  grants: KeyRecord["grants"],
  { services }: Pick<Repository, "services">,
): void {
  const named = grants.flatMap((grant) => (grant.services === "all" ? [] : grant.services));
  const unknown = named.find((name) => !services.has(name));
  if (unknown === undefined) return;
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot create a key: service "${unknown.slice(0, limits.nameLengthMax)}" is not defined here, expected one of ${[...services.keys()].join(", ")}`,
  );
}

function readInstant(field: string, value: string | undefined): number | null {
  if (value === undefined) return null;
  try {
    return parseInstant(value);
  } catch (cause) {
    throw new FeatureError(
      "INVALID_REQUEST",
      `Cannot read request: "${field}" is not an instant, expected one such as 2026-03-01T00:00:00Z`,
      { cause },
    );
  }
}

function past(field: string): FeatureError {
  return new FeatureError(
    "INVALID_REQUEST",
    `Cannot create a key: "${field}" has passed, expected an instant to come`,
  );
}

/** Nothing that a key could be made of. */
function writeKey(record: KeyRecord): Json {
  const { grants, secrets, rateLimit } = record;
  return {
    id: record.id,
    name: record.name,
    description: record.description,
    grants: grants.map(({ workspace, scopes: granted, services }) => {
      return { workspace, scopes: [...granted], services: services as Json };
    }),
    rateLimit: rateLimit === null ? null : { ...rateLimit },
    createdAt: formatInstant(record.createdAtMs),
    expiresAt: instantOrNull(record.expiresAtMs),
    revokedAt: instantOrNull(record.revokedAtMs),
    secrets: secrets.map((secret) => ({
      id: secretIdOf(secret),
      createdAt: formatInstant(secret.createdAtMs),
      expiresAt: instantOrNull(secret.expiresAtMs),
    })),
  };
}

function instantOrNull(atMs: number | null): string | null {
  return atMs === null ? null : formatInstant(atMs);
}
