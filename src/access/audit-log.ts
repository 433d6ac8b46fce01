/**
 * The audit log: who did what, each entry holding the hash of the one before it, so that a cut,
 * changed or reordered log does not verify. Whoever remembers the hash of an entry can tell later
 * whether the log still leads through it: a tail that was cut off shows by that alone.
 *
 *   hash(entry) = SHA-256 of the JSON of [seq, prev, atMs, actor, action, object, result]
 */

import { limits } from "../core/limits.ts";
import type { StateTable } from "../store/state-table.ts";
import { sha256Hex } from "./sha256.ts";

export type AuditAction =
  | "configure"
  | "key.create"
  | "key.rotate"
  | "key.revoke"
  | "publish.start"
  | "publish.rollback"
  | "publish.finish"
  | "entity.delete";

export interface AuditEvent {
  /** The id of a principal. */
  readonly actor: string;
  readonly action: AuditAction;
  /** Names of definitions and ids of keys; nothing of an entity, and no secret. */
  readonly object: string;
  /** "ok", or the code of the error that refused it. */
  readonly result: string;
}

export interface AuditEntry extends AuditEvent {
  /** From 1, each one more than the last. */
  readonly seq: number;
  readonly atMs: number;
  /** The hash of the entry before; of 64 zeros for the first. */
  readonly prev: string;
}

/** The last entry, by its place and hash; place 0 before the first. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

export interface AuditPage {
  /** Some of those after the place that was asked for; none at the end. */
  readonly entries: readonly AuditEntry[];
  readonly head: AuditHead;
}

export const emptyAudit: AuditHead = { seq: 0, hash: "0".repeat(64) };

const headKey = "audit-head";
const entryPrefix = "audit:";
const placeDigits = 16;

/** Calls to `adding` and the writes of what they answer follow one another. */
export class AuditLog {
  readonly #state: StateTable;

  constructor(state: StateTable) {
    this.#state = state;
  }

  /** The state entries that append events, to be put together with what they tell of. */
  async adding(
    events: readonly AuditEvent[],
    nowMs: number,
  ): Promise<Readonly<Record<string, unknown>>> {
    let head = await this.#head();
    const added: Record<string, unknown> = {};
    for (const { actor, action, object, result } of events) {
      const entry: AuditEntry = {
        seq: head.seq + 1,
        prev: head.hash,
        atMs: nowMs,
        actor,
        action,
        object: object.slice(0, limits.auditObjectLengthMax),
        result,
      };
      head = { seq: entry.seq, hash: await hashEntry(entry) };
      added[entryKey(entry.seq)] = entry;
    }
    return { ...added, [headKey]: head };
  }

  async page(afterSeq: number): Promise<AuditPage> {
    const found = await this.#state.list(entryPrefix, {
      afterKey: entryKey(afterSeq),
      countMax: limits.auditPageEntriesMax,
    });
    return { entries: [...found.values()] as AuditEntry[], head: await this.#head() };
  }

  async #head(): Promise<AuditHead> {
    return ((await this.#state.get(headKey)) as AuditHead | undefined) ?? emptyAudit;
  }
}

/** In hex. */
export function hashEntry(entry: AuditEntry): Promise<string> {
  const { seq, prev, atMs, actor, action, object, result } = entry;
  return sha256Hex(JSON.stringify([seq, prev, atMs, actor, action, object, result]));
}

/** What a chain leads to after more entries, or where it breaks. */
export type AuditVerdict =
  | { readonly kind: "whole"; readonly head: AuditHead }
  | { readonly kind: "broken"; readonly seq: number; readonly reason: string };

/** Goes on from the end of what was verified before; from `emptyAudit` for a whole log. */
export async function verifyAudit(
  from: AuditHead,
  entries: readonly AuditEntry[],
): Promise<AuditVerdict> {
  let head = from;
  for (const entry of entries) {
    const seq = head.seq + 1;
    if (entry.seq !== seq) {
      return { kind: "broken", seq, reason: `entry ${entry.seq} stands in its place` };
    }
    if (entry.prev !== head.hash) {
      return { kind: "broken", seq, reason: "it does not hold the hash of the entry before it" };
    }
    head = { seq, hash: await hashEntry(entry) };
  }
  return { kind: "whole", head };
}

function entryKey(seq: number): string {
  return entryPrefix + String(seq).padStart(placeDigits, "0");
}
