/** One caller's wait: until its answer is there, its time is up or it gives up. */

import type { Clock } from "../core/clock.ts";
import { TilemarkError } from "./tilemark-error.ts";

export interface WaitOptions {
  /** In milliseconds, all tries included. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface Waiting<T> {
  /** @throws the signal's reason when it is aborted, DEADLINE when the time is up. */
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

/** `leave` is called where the caller stops waiting though there is no answer. */
export function waitForAnswer<T>(
  clock: Clock,
  { deadlineMs, signal }: WaitOptions,
  leave: (reason: unknown) => void,
): Waiting<T> {
  const timer = new AbortController();
  let settle: Pick<Waiting<T>, "resolve" | "reject"> | undefined;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  const end = (how: (settle: Pick<Waiting<T>, "resolve" | "reject">) => void) => {
    timer.abort();
    signal?.removeEventListener("abort", stop);
    if (settle !== undefined) how(settle);
  };
  const giveUp = (reason: unknown) => {
    end(({ reject }) => reject(reason));
    leave(reason);
  };
  const stop = () => giveUp(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  void clock.sleep(deadlineMs, timer.signal).then(
    () => giveUp(deadlineError(deadlineMs)),
    (error: unknown) => {
      if (!timer.signal.aborted) giveUp(error);
    },
  );
  return {
    promise,
    resolve: (value) => end(({ resolve }) => resolve(value)),
    reject: (reason) => end(({ reject }) => reject(reason)),
  };
}

function deadlineError(deadlineMs: number): TilemarkError {
  return new TilemarkError(
    `Cannot get an answer in time: the deadline of ${deadlineMs} ms has passed`,
    { code: "DEADLINE", retryable: true },
  );
}
