/** An abort signal that follows another one and can be aborted by itself. */

import { FeatureError } from "../../core/errors.ts";

export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Lets go of the signal that it follows, and aborts what is still going on under its own. */
  dispose(): void;
}

const disposed = new FeatureError(
  "STORE_UNAVAILABLE",
  "Cannot go on: nobody waits for the answer any more",
);

/** `AbortSignal.any` would follow as well, but leaves when it lets go to the garbage collector. */
export function linkAbort(followed?: AbortSignal): LinkedAbort {
  const controller = new AbortController();
  const abort = (reason: unknown) => controller.abort(reason);
  const follow = () => abort(followed?.reason);
  if (followed?.aborted === true) follow();
  else followed?.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    abort,
    dispose: () => {
      followed?.removeEventListener("abort", follow);
      abort(disposed);
    },
  };
}
