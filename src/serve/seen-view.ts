/** Keeps a client from going back in time: it says what it has seen, and gets nothing older. */

import type { EntityRecords } from "./combine-view.ts";
import type { FeatureFault, SeenView } from "./view-answer.ts";

export function seenOf({ batch, stream }: EntityRecords): SeenView {
  return { cut: batch?.header.cut ?? -1, positions: stream?.positions ?? new Map() };
}

/** Why records are older than what was seen; null where they are not. */
export function behindOf(found: SeenView, seen: SeenView | undefined): FeatureFault | null {
  if (seen === undefined) return null;
  const isBehind =
    found.cut < seen.cut ||
    [...seen.positions].some(([shard, seq]) => (found.positions.get(shard) ?? 0) < seq);
  if (!isBehind) return null;
  return { code: "BEHIND", message: "The records here are older than what the client has seen" };
}
