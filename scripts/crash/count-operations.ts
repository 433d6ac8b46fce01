/**
 * Counts what a worker asks of its stores, and stops at a given operation: all objects of a worker
 * share one isolate and its one thread, so one endless loop holds all of them where they are.
 */

import type { TilemarkEnvironment } from "../../adapters/runtimes/cloudflare/environment.ts";
import type { KvBinding } from "../../adapters/stores/workers-kv-store.ts";
import { stoppedMark } from "./stopped-mark.ts";

let operations: string[] = [];
let stopAt = Infinity;

/** Counts from zero again; the operation of that number, from 1 on, is the last one. */
export function countOperations(stopAtOperation: number): void {
  operations = [];
  stopAt = stopAtOperation;
}

/** What each of them was. */
export function countedOperations(): readonly string[] {
  return operations;
}

/**
 * Counts the operations of a Durable Object's storage, in place: its base class takes the host's own
 * object alone. Each counts when it has returned; a write is not durable before its turn has ended,
 * so the one that is stopped at may be lost, and those of turns before it are not.
 */
export function tapState(state: DurableObjectState, name: string): DurableObjectState {
  const { storage } = state;
  const { sql } = storage;
  const exec = sql.exec.bind(sql) as (...values: unknown[]) => unknown;
  replace(sql, "exec", (...values) => counted(`${name} ${firstWords(values[0])}`, exec(...values)));
  const transaction = storage.transactionSync.bind(storage);
  replace(storage, "transactionSync", (body) =>
    counted(`${name} transaction`, transaction(body as () => unknown)),
  );
  for (const method of ["get", "list", "put", "delete"] as const) {
    const call = storage[method].bind(storage) as (...values: unknown[]) => Promise<unknown>;
    replace(storage, method, async (...values) =>
      counted(`${name} ${method}`, await call(...values)),
    );
  }
  return state;
}

const environments = new WeakMap<TilemarkEnvironment, TilemarkEnvironment>();

/** The same bindings, the calls of Workers KV counted. */
export function tapEnvironment(env: TilemarkEnvironment): TilemarkEnvironment {
  const known = environments.get(env);
  if (known !== undefined) return known;
  const kv = env.BATCH;
  const BATCH: KvBinding = {
    get: async (...values) => counted("KV get", await kv.get(...values)),
    put: async (...values) => counted("KV put", await kv.put(...values)),
    delete: async (...values) => counted("KV delete", await kv.delete(...values)),
  };
  const tapped = { ...env, BATCH };
  environments.set(env, tapped);
  return tapped;
}

function replace(target: object, method: string, value: (...values: unknown[]) => unknown): void {
  if (!(method in target)) throw new Error(`Cannot count "${method}": the host has no such method`);
  Object.defineProperty(target, method, { value });
}

function counted<T>(operation: string, result: T): T {
  operations.push(operation);
  if (operations.length === stopAt) {
    console.log(`${stoppedMark} ${stopAt}: ${operation}`);
    for (;;);
  }
  return result;
}

/** Enough of a statement to tell it from others. */
function firstWords(statement: unknown): string {
  return String(statement).trim().split(/\s+/).slice(0, 5).join(" ");
}
