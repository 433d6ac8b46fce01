/** What is kept of an API key: whom it is for and what it may do, and of its secrets the SHA-256. */

import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { keyIdPattern } from "./api-key.ts";
import { equalDigests } from "./sha256.ts";
import { scopes } from "./principal.ts";
import type { Grant, Principal, RateLimit } from "./principal.ts";

export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly grants: readonly Grant[];
  readonly rateLimit: RateLimit | null;
  readonly createdAtMs: number;
  /** From this instant on it is no key any more. */
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** At most `limits.keySecretsMax`. */
  readonly secrets: readonly KeySecret[];
}

export interface KeySecret {
  /** Of the whole key as it is written, in hex. */
  readonly sha256: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
}

/** Why a key is not taken. */
export type KeyRefusal = "unknown" | "wrong-secret" | "expired" | "revoked";

/** Whether a key with this digest is a live secret of a record, which is undefined for an unknown id. */
export function judgeKey(
  record: KeyRecord | undefined,
  { digest, nowMs }: { readonly digest: string; readonly nowMs: number },
): KeyRefusal | null {
  // An unknown id is compared too, so that it takes the same path.
  const secrets = record?.secrets ?? [absentSecret];
  let found: KeySecret | null = null;
  for (const secret of secrets) if (equalDigests(secret.sha256, digest)) found = secret;
  if (record === undefined) return "unknown";
  if (found === null) return "wrong-secret";
  if (record.revokedAtMs !== null) return "revoked";
  return isOver(record.expiresAtMs, nowMs) || isOver(found.expiresAtMs, nowMs) ? "expired" : null;
}

export function principalOf({ id, grants, rateLimit }: KeyRecord): Principal {
  return { id, grants, ...(rateLimit !== null && { rateLimit }) };
}

export function isOver(atMs: number | null, nowMs: number): boolean {
  return atMs !== null && nowMs >= atMs;
}

const absentSecret: KeySecret = { sha256: "0".repeat(64), createdAtMs: 0, expiresAtMs: null };

const text = z.string("a string");
const instant = z.number("an instant").check(z.int("an instant"));
export const digestSchema = text.check(z.regex(/^[0-9a-f]{64}$/, "64 hex digits of a SHA-256"));
export const nameSchema = text.check(
  z.minLength(1, "a name"),
  z.maxLength(limits.nameLengthMax, `at most ${limits.nameLengthMax} characters`),
);
const count = z
  .number("a number")
  .check(
    z.positive("a number above 0"),
    z.maximum(limits.requestsPerSecondMax, `at most ${limits.requestsPerSecondMax}`),
  );

export const servicesSchema = z.union([
  z.literal("all"),
  z
    .array(nameSchema, "a list of services")
    .check(z.maxLength(limits.grantsMax, `at most ${limits.grantsMax} services`)),
]);

export const grantSchema = z.object(
  {
    workspace: nameSchema,
    scopes: z
      .array(z.enum(scopes, `one of ${scopes.join(", ")}`), "a list of scopes")
      .check(z.maxLength(scopes.length, `at most ${scopes.length} scopes`)),
    services: z._default(servicesSchema, "all"),
  },
  "an object",
);

export const rateLimitSchema = z.object(
  {
    requestsPerSecond: count,
    burst: count.check(z.minimum(1, "at least 1")),
  },
  "an object",
);

export const descriptionSchema = text.check(
  z.maxLength(
    limits.keyDescriptionLengthMax,
    `at most ${limits.keyDescriptionLengthMax} characters`,
  ),
);

const recordSchema = z.object(
  {
    id: text.check(z.regex(keyIdPattern, "12 hex digits")),
    name: nameSchema,
    description: z._default(descriptionSchema, ""),
    grants: z
      .array(grantSchema, "a list of grants")
      .check(z.maxLength(limits.grantsMax, `at most ${limits.grantsMax} grants`)),
    rateLimit: z._default(z.nullable(rateLimitSchema), null),
    createdAtMs: z._default(instant, 0),
    expiresAtMs: z._default(z.nullable(instant), null),
    revokedAtMs: z._default(z.nullable(instant), null),
    secrets: z
      .array(
        z.object({
          sha256: digestSchema,
          createdAtMs: z._default(instant, 0),
          expiresAtMs: z._default(z.nullable(instant), null),
        }),
        "a list of secrets",
      )
      .check(z.maxLength(limits.keySecretsMax, `at most ${limits.keySecretsMax} secrets`)),
  },
  "an object",
);
/** A key as operators configure it. */
export type KeyConfiguration = z.input<typeof recordSchema>;

const recordsSchema = z
  .array(recordSchema, "a list of keys")
  .check(z.maxLength(limits.keysMax, `at most ${limits.keysMax} keys`));

/**
 * Key records from JSON: of a configuration, where what can be left out may be, or of a key book.
 * @throws FeatureError INVALID_DEFINITION naming the field that is wrong.
 */
export function readKeyRecords(value: unknown): readonly KeyRecord[] {
  const parsed = recordsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0] as z.core.$ZodIssue;
  const place = path.length === 0 ? "they" : `"${path.map(String).join(".")}"`;
  throw new FeatureError(
    "INVALID_DEFINITION",
    `Cannot read keys: ${place} cannot be taken, expected ${message}`,
  );
}
