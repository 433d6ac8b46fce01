/**
 * The key book and the audit log of a workspace, kept where its publisher keeps what it remembers. A
 * change of a key and the entry that tells of it are written together or not at all.
 */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { StateTable } from "../store/state-table.ts";
import { newApiKey } from "./api-key.ts";
import type { RandomBytes } from "./api-key.ts";
import { AuditLog } from "./audit-log.ts";
import type { AuditAction, AuditEvent, AuditPage } from "./audit-log.ts";
import { isOver } from "./key-record.ts";
import type { KeyRecord, KeySecret } from "./key-record.ts";
import { sha256Hex } from "./sha256.ts";

/** Who changes something, and when. */
export interface Doer {
  readonly actor: string;
  readonly nowMs: number;
}

export type CreateKeyRequest = Pick<
  KeyRecord,
  "name" | "description" | "grants" | "rateLimit" | "expiresAtMs"
>;

export interface RotateKeyRequest {
  readonly id: string;
  /** When the secrets there are end; null: not before they are revoked. */
  readonly oldExpiresAtMs: number | null;
}

export interface RevokeKeyRequest {
  readonly id: string;
  /** The first digits of one secret's digest; null for the key as a whole. */
  readonly secret: string | null;
}

export interface IssuedKey {
  /** Told here and never again. */
  readonly key: string;
  readonly record: KeyRecord;
}

/** What admin routes ask of a home. Every call may be made from any process that reaches it. */
export interface AccessHome {
  keys(): Promise<readonly KeyRecord[]>;
  createKey(request: CreateKeyRequest, by: Doer): Promise<IssuedKey>;
  /** Adds a secret. @throws FeatureError NOT_FOUND, CONFLICT while there are two live ones. */
  rotateKey(request: RotateKeyRequest, by: Doer): Promise<IssuedKey>;
  /** @throws FeatureError NOT_FOUND. */
  revokeKey(request: RevokeKeyRequest, by: Doer): Promise<KeyRecord>;
  /** Appends to the audit log. */
  record(event: AuditEvent, nowMs: number): Promise<void>;
  audit(afterSeq: number): Promise<AuditPage>;
}

export interface HomeAccessParts {
  readonly state: StateTable;
  readonly randomBytes: RandomBytes;
  /** What is configured: when it changed, the audit log says so before anything else. */
  readonly configuration: string;
}

export const secretIdLength = 8;

const keyPrefix = "key:";
const configurationKey = "access-configuration";

export class HomeAccess implements AccessHome {
  readonly #parts: HomeAccessParts;
  readonly #audit: AuditLog;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(parts: HomeAccessParts) {
    this.#parts = parts;
    this.#audit = new AuditLog(parts.state);
  }

  async keys(): Promise<readonly KeyRecord[]> {
    const entries = await this.#parts.state.list(keyPrefix);
    return [...entries.values()] as KeyRecord[];
  }

  createKey(request: CreateKeyRequest, by: Doer): Promise<IssuedKey> {
    return this.#exclusive(async () => {
      const dropped = await this.#makeRoom();
      const { id, key } = newApiKey(this.#parts.randomBytes);
      const record: KeyRecord = {
        id,
        ...request,
        createdAtMs: by.nowMs,
        revokedAtMs: null,
        secrets: [await secretOf(key, by.nowMs)],
      };
      await this.#change({ ...dropped, [keyPrefix + id]: record }, by, ["key.create", id]);
      return { key, record };
    });
  }

  rotateKey({ id, oldExpiresAtMs }: RotateKeyRequest, by: Doer): Promise<IssuedKey> {
    return this.#exclusive(async () => {
      const before = await this.#find(id);
      if (before.revokedAtMs !== null) throw conflict("rotate", id, "it is revoked");
      const live = before.secrets.filter(({ expiresAtMs }) => !isOver(expiresAtMs, by.nowMs));
      if (live.length >= limits.keySecretsMax) {
        throw conflict("rotate", id, `it has ${live.length} live secrets, revoke one of them`);
      }
      const { key } = newApiKey(this.#parts.randomBytes, id);
      const kept = live.map((secret) => ({
        ...secret,
        expiresAtMs: earlier(secret.expiresAtMs, oldExpiresAtMs),
      }));
      const record = { ...before, secrets: [...kept, await secretOf(key, by.nowMs)] };
      await this.#change({ [keyPrefix + id]: record }, by, ["key.rotate", id]);
      return { key, record };
    });
  }

  revokeKey({ id, secret }: RevokeKeyRequest, by: Doer): Promise<KeyRecord> {
    return this.#exclusive(async () => {
      const before = await this.#find(id);
      const record =
        secret === null
          ? { ...before, revokedAtMs: before.revokedAtMs ?? by.nowMs }
          : withoutSecret(before, secret);
      const object = secret === null ? id : `${id} secret ${secret}`;
      await this.#change({ [keyPrefix + id]: record }, by, ["key.revoke", object]);
      return record;
    });
  }

  record(event: AuditEvent, nowMs: number): Promise<void> {
    return this.#exclusive(() => this.#put({}, event, nowMs));
  }

  audit(afterSeq: number): Promise<AuditPage> {
    return this.#exclusive(() => this.#audit.page(afterSeq));
  }

  #change(
    entries: Readonly<Record<string, unknown>>,
    { actor, nowMs }: Doer,
    [action, object]: readonly [AuditAction, string],
  ): Promise<void> {
    return this.#put(entries, { actor, action, object, result: "ok" }, nowMs);
  }

  async #put(
    entries: Readonly<Record<string, unknown>>,
    event: AuditEvent,
    nowMs: number,
  ): Promise<void> {
    const { state, configuration } = this.#parts;
    const isChanged = (await state.get(configurationKey)) !== configuration;
    const configure: AuditEvent = {
      actor: "operator",
      action: "configure",
      object: configuration,
      result: "ok",
    };
    const events = isChanged ? [configure, event] : [event];
    await state.put({
      ...entries,
      ...(await this.#audit.adding(events, nowMs)),
      ...(isChanged && { [configurationKey]: configuration }),
    });
  }

  async #find(id: string): Promise<KeyRecord> {
    const record = await this.#parts.state.get(keyPrefix + id);
    if (record !== undefined) return record as KeyRecord;
    throw new FeatureError(
      "NOT_FOUND",
      `Cannot find key "${id}": the key book has none of that id`,
    );
  }

  /** At its maximum the book forgets the key that was revoked first. */
  async #makeRoom(): Promise<Readonly<Record<string, undefined>>> {
    const records = await this.keys();
    if (records.length < limits.keysMax) return {};
    const [oldest] = records
      .filter(({ revokedAtMs }) => revokedAtMs !== null)
      .sort((a, b) => Number(a.revokedAtMs) - Number(b.revokedAtMs));
    if (oldest !== undefined) return { [keyPrefix + oldest.id]: undefined };
    throw new FeatureError(
      "RESOURCE_EXHAUSTED",
      `Cannot create a key: the book holds ${records.length}, at most ${limits.keysMax}, revoke one`,
    );
  }

  #exclusive<T>(body: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(body, body);
    this.#tail = turn;
    return turn;
  }
}

/** What a secret is called by: the first digits of its digest. */
export function secretIdOf({ sha256 }: KeySecret): string {
  return sha256.slice(0, secretIdLength);
}

async function secretOf(key: string, nowMs: number): Promise<KeySecret> {
  return { sha256: await sha256Hex(key), createdAtMs: nowMs, expiresAtMs: null };
}

function withoutSecret(record: KeyRecord, secretId: string): KeyRecord {
  const secrets = record.secrets.filter((secret) => secretIdOf(secret) !== secretId);
  if (secrets.length < record.secrets.length) return { ...record, secrets };
  throw new FeatureError(
    "NOT_FOUND",
    `Cannot revoke secret "${secretId}": the key has no such one`,
  );
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

function conflict(action: string, id: string, state: string): FeatureError {
  return new FeatureError("CONFLICT", `Cannot ${action} key "${id}": ${state}`);
}
