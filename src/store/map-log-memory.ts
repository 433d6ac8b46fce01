/** The memory of a log shard in maps. */

import type { NamedRequest } from "./event-log.ts";
import type { KnownId, Forgotten, KnownPartition, LogMemory } from "./log-memory.ts";

interface KnownRequest extends NamedRequest {
  readonly newestMs: number | null;
}

export class MapLogMemory implements LogMemory {
  #count = 0;
  readonly #ids = new Map<string, AgingMap<KnownId>>();
  readonly #requests = new AgingMap<KnownRequest>(({ keepUntilMs }) => keepUntilMs);
  readonly #forgottenMs = new Map<string, number>();
  readonly #partitions = new Map<string, KnownPartition>();
  #undo: (() => void)[] = [];

  /** Runs `body`; what it changes is kept, or nothing if it throws. */
  atomically<T>(body: () => T): T {
    this.#undo = [];
    try {
      return body();
    } catch (error) {
      for (const step of this.#undo.reverse()) step();
      throw error;
    }
  }

  count(): number {
    return this.#count;
  }

  setCount(count: number): void {
    const before = this.#count;
    this.#undo.push(() => {
      this.#count = before;
    });
    this.#count = count;
  }

  idHash(source: string, id: string): string | null {
    return this.#ids.get(source)?.values.get(id)?.hash ?? null;
  }

  rememberId(source: string, known: KnownId): void {
    let ids = this.#ids.get(source);
    if (ids === undefined) {
      ids = new AgingMap(({ timestampMs }) => timestampMs);
      this.#ids.set(source, ids);
    }
    this.#undo.push(ids.put(known.id, known));
  }

  forgetIds(source: string, beforeMs: number, countMax: number): Forgotten {
    const ids = this.#ids.get(source);
    if (ids === undefined) return { count: 0, newestMs: -Infinity };
    const { removed, undo } = ids.removeOldest(beforeMs, countMax);
    this.#undo.push(undo);
    return { count: removed.length, newestMs: removed.at(-1)?.timestampMs ?? -Infinity };
  }

  requestHash(key: string): string | null {
    return this.#requests.values.get(key)?.contentHash ?? null;
  }

  rememberRequest(request: NamedRequest, newestMs: number | null): void {
    this.#undo.push(this.#requests.put(request.key, { ...request, newestMs }));
  }

  forgetRequests(beforeMs: number, countMax: number): Forgotten {
    const { removed, undo } = this.#requests.removeOldest(beforeMs, countMax);
    this.#undo.push(undo);
    const newestMs = removed.reduce((ms, each) => Math.max(ms, each.newestMs ?? ms), -Infinity);
    return { count: removed.length, newestMs };
  }

  forgottenMs(source: string): number {
    return this.#forgottenMs.get(source) ?? -Infinity;
  }

  setForgottenMs(source: string, newestMs: number): void {
    this.#put(this.#forgottenMs, source, newestMs);
  }

  partition(source: string, partition: string): KnownPartition | null {
    return this.#partitions.get(JSON.stringify([source, partition])) ?? null;
  }

  setPartition(source: string, partition: string, known: KnownPartition): void {
    this.#put(this.#partitions, JSON.stringify([source, partition]), known);
  }

  partitionCount(): number {
    return this.#partitions.size;
  }

  #put<Value>(map: Map<string, Value>, key: string, value: Value): void {
    this.#undo.push(putInto(map, key, value));
  }
}

/** Values by key, of which the oldest can be removed. Each change gives the step that undoes it. */
class AgingMap<Value> {
  readonly values = new Map<string, Value>();
  readonly #timeOf: (value: Value) => number;
  /** No value is older: spares a look at all of them where none is old enough. */
  #oldestMs = Infinity;

  constructor(timeOf: (value: Value) => number) {
    this.#timeOf = timeOf;
  }

  put(key: string, value: Value): () => void {
    this.#oldestMs = Math.min(this.#oldestMs, this.#timeOf(value));
    return putInto(this.values, key, value);
  }

  /** Removes values of before an instant, at most `countMax`, oldest first. */
  removeOldest(
    beforeMs: number,
    countMax: number,
  ): { readonly removed: readonly Value[]; readonly undo: () => void } {
    if (this.#oldestMs >= beforeMs) return { removed: [], undo: () => undefined };
    const entries = [...this.values].sort((a, b) => this.#timeOf(a[1]) - this.#timeOf(b[1]));
    const isPast = ([, value]: [string, Value]) => this.#timeOf(value) < beforeMs;
    const past = entries.filter(isPast).slice(0, countMax);
    for (const [key] of past) this.values.delete(key);
    const next = entries[past.length];
    this.#oldestMs = next === undefined ? Infinity : this.#timeOf(next[1]);
    return {
      removed: past.map(([, value]) => value),
      undo: () => {
        for (const [key, value] of past) this.put(key, value);
      },
    };
  }
}

/** The step that undoes it. */
function putInto<Value>(map: Map<string, Value>, key: string, value: Value): () => void {
  const before = map.get(key);
  map.set(key, value);
  return () => {
    if (before === undefined) map.delete(key);
    else map.set(key, before);
  };
}
