/** A store in virtual time that remembers all it ever held, and readers of it that fail as told. */

import { FeatureError } from "../../src/core/errors.ts";
import type { RecordReader, StoreReadOptions, StoredValue } from "../../src/store/online-store.ts";
import type { ManualClock } from "../builders/manual-clock.ts";

interface Version {
  readonly fromMs: number;
  /** Null where the key was deleted. */
  readonly bytes: Uint8Array | null;
}

export class ModelStore {
  readonly #versions = new Map<string, Version[]>();
  #writeCount = 0;

  /** Writes a value that no other write has. */
  write(key: string, nowMs: number): void {
    this.#writeCount += 1;
    const bytes = new TextEncoder().encode(`${key} ${this.#writeCount}`);
    this.#add(key, { fromMs: nowMs, bytes });
  }

  delete(key: string, nowMs: number): void {
    this.#add(key, { fromMs: nowMs, bytes: null });
  }

  valueAt(key: string, atMs: number): StoredValue | null {
    const version = this.#versions.get(key)?.findLast(({ fromMs }) => fromMs <= atMs);
    const bytes = version?.bytes ?? null;
    return bytes === null ? null : { bytes: bytes.slice(), version: null };
  }

  /** Whether the key had this value at some instant of [fromMs, untilMs]. */
  hadValue(key: string, value: StoredValue | null, span: ModelSpan): boolean {
    const instants = (this.#versions.get(key) ?? []).map(({ fromMs }) => fromMs);
    return [span.fromMs, ...instants.filter((ms) => span.fromMs < ms && ms <= span.untilMs)].some(
      (atMs) => textOf(this.valueAt(key, atMs)) === textOf(value),
    );
  }

  #add(key: string, version: Version): void {
    const versions = this.#versions.get(key) ?? [];
    this.#versions.set(key, versions);
    versions.push(version);
  }
}

export interface ModelSpan {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** `hangs`: it never answers. `ignores`: nor does it look at the signal. */
export type ModelBehaviour =
  ServingBehaviour | { readonly kind: "hangs" } | { readonly kind: "ignores" };

interface ServingBehaviour {
  readonly kind: "answers" | "fails" | "refuses";
  readonly latencyMs: number;
}

export interface ModelReaderParts {
  readonly store: ModelStore;
  readonly clock: ManualClock;
  readonly behave: () => ModelBehaviour;
  /** How far behind the store a read of it is. */
  readonly lagMs?: () => number;
}

export class ModelReader implements RecordReader {
  readonly capabilities = { keysPerTripMax: 100 };
  callCount = 0;
  /** Calls neither answered nor aborted; those that look at no signal are not counted. */
  aliveCount = 0;
  readonly #parts: ModelReaderParts;

  constructor(parts: ModelReaderParts) {
    this.#parts = parts;
  }

  async readMany(
    keys: readonly string[],
    { signal }: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    const { store, clock, behave, lagMs = () => 0 } = this.#parts;
    this.callCount += 1;
    const behaviour = behave();
    if (behaviour.kind === "ignores") return new Promise(() => undefined);
    this.aliveCount += 1;
    try {
      if (behaviour.kind === "hangs") return await untilAborted(signal);
      // It reads at some instant between the call and the answer: here in the middle.
      await sleep(clock, behaviour.latencyMs / 2, signal);
      const readMs = clock.now() - lagMs();
      const values = keys.map((key) => store.valueAt(key, readMs));
      await sleep(clock, behaviour.latencyMs / 2, signal);
      if (behaviour.kind !== "answers") throw failure(behaviour.kind === "fails");
      return values;
    } finally {
      this.aliveCount -= 1;
    }
  }
}

export function failure(retryable: boolean, cause?: unknown): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", "Cannot read the model: it fails", {
    cause,
    retryable,
  });
}

export function textOf(value: StoredValue | null): string | null {
  return value === null ? null : new TextDecoder().decode(value.bytes);
}

async function sleep(clock: ManualClock, durationMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await clock.sleep(durationMs, signal);
  } catch (cause) {
    throw failure(true, cause);
  }
}

function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(failure(true, signal?.reason));
    if (signal?.aborted === true) abort();
    else signal?.addEventListener("abort", abort, { once: true });
  });
}
