/** An offline store has the events of one home. */

import { FeatureError } from "../core/errors.ts";

/** @throws FeatureError INVALID_REQUEST where the one that it has is not the one asked for. */
export function requireHome(drained: string | null, home: string | null): void {
  if (drained === null || drained === home) return;
  throw new FeatureError(
    "INVALID_REQUEST",
    "Cannot compact: the offline store has the events of another home, use another directory for this one",
  );
}
