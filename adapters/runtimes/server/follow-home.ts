/** Follows a region's home until it is told to stop. */

import type { Clock } from "../../../src/core/clock.ts";
import { limits } from "../../../src/core/limits.ts";
import type { RegionFollower } from "../../../src/region/region-follower.ts";

export interface FollowParts {
  readonly follower: RegionFollower;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of every step that failed: the next one goes on where it stopped. */
  readonly report: (error: unknown) => void;
}

/** Resolves once `signal` is aborted and the step under way is done. */
export async function followHome({ follower, clock, signal, report }: FollowParts): Promise<void> {
  while (!signal.aborted) {
    let isBehind = false;
    try {
      ({ isBehind } = await follower.step());
    } catch (error) {
      report(error);
    }
    if (!isBehind) await pause(clock, signal);
  }
}

async function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(limits.followPauseMs, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
