/** Errors across Durable Object calls: a thrown one loses its class and code, so it travels as a value. */

import { FeatureError } from "../../../src/core/errors.ts";
import type { ErrorCode } from "../../../src/core/errors.ts";

export type RpcAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly code: ErrorCode;
      readonly message: string;
      readonly retryable: boolean;
    };

/** Runs the callee's side of a call. Errors that are not FeatureErrors go on as they are: bugs. */
export async function answerCall<T>(body: () => Promise<T>): Promise<RpcAnswer<T>> {
  try {
    return { ok: true, value: await body() };
  } catch (error) {
    if (!(error instanceof FeatureError)) throw error;
    return { ok: false, code: error.code, message: error.message, retryable: error.retryable };
  }
}

/** The caller's side. @throws FeatureError as the callee threw it, or STORE_UNAVAILABLE. */
export async function call<T>(name: string, answer: PromiseLike<RpcAnswer<T>>): Promise<T> {
  let answered: RpcAnswer<T>;
  try {
    answered = await answer;
  } catch (cause) {
    throw new FeatureError("STORE_UNAVAILABLE", `Cannot call the ${name}: the call failed`, {
      cause,
      retryable: true,
    });
  }
  if (answered.ok) return answered.value;
  throw new FeatureError(answered.code, answered.message, { retryable: answered.retryable });
}
