/** What the cases of the contract expect, without a test framework: an Error says what was met. */

import type { ErrorCode } from "../../core/errors.ts";

/** How many bytes or entries an error shows. */
const shownMax = 12;

/** The same bytes, the same entries in order, or the same primitive. */
export function expectEqual(what: string, met: unknown, expected: unknown): void {
  if (isSame(met, expected)) return;
  throw new Error(`${what}: expected ${show(expected)}, met ${show(met)}`);
}

export function expectDifferent(what: string, met: unknown, other: unknown): void {
  if (!isSame(met, other)) return;
  throw new Error(`${what}: expected anything but ${show(other)}`);
}

export function expectTrue(what: string, met: boolean): void {
  if (!met) throw new Error(`${what}: expected to hold, it does not`);
}

export interface ExpectedError {
  /** Left out: any code of the contract's errors will do. */
  readonly code?: ErrorCode;
  readonly retryable?: boolean;
  /** Texts that neither the error nor what caused it may hold. */
  readonly secrets: readonly string[];
}

/** A call must reject, or throw at once, with an error that is as told. */
export async function expectError(
  what: string,
  call: () => Promise<unknown>,
  { code, retryable, secrets }: ExpectedError,
): Promise<void> {
  const error = await errorOf(what, call);
  const met = error as { readonly code?: unknown; readonly retryable?: unknown };
  if (code !== undefined) expectEqual(`${what}: the code of its error`, met.code, code);
  if (retryable !== undefined) {
    expectEqual(`${what}: whether it may be tried again`, met.retryable, retryable);
  }
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    const text = String(each);
    if (!secrets.some((secret) => text.includes(secret))) continue;
    throw new Error(`${what}: expected an error without keys and values, met ${text}`);
  }
}

async function errorOf(what: string, call: () => Promise<unknown>): Promise<Error> {
  let answer: unknown;
  try {
    answer = await call();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error(`${what}: expected an Error, met ${show(error)}`, { cause: error });
  }
  throw new Error(`${what}: expected an error, met the answer ${show(answer)}`);
}

function isSame(met: unknown, expected: unknown): boolean {
  if (met instanceof Uint8Array && expected instanceof Uint8Array) {
    return met.length === expected.length && met.every((byte, i) => byte === expected[i]);
  }
  if (Array.isArray(met) && Array.isArray(expected)) {
    return met.length === expected.length && expected.every((each, i) => isSame(met[i], each));
  }
  return Object.is(met, expected);
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) {
    const more = value.length > shownMax ? ", …" : "";
    return `${value.length} bytes <${value.subarray(0, shownMax).join(", ")}${more}>`;
  }
  if (Array.isArray(value)) {
    const shown = value.slice(0, shownMax).map(show).join(", ");
    return value.length > shownMax ? `${value.length} entries [${shown}, …]` : `[${shown}]`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  return value !== null && typeof value === "object" ? "an object" : String(value);
}
