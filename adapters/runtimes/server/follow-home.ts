/** Follows a region's home until it is told to stop. */

import type { Clock } from "../../../src/core/clock.ts";
import { limits } from "../../../src/core/limits.ts";
import type { RegionFollower } from "../../../src/region/region-follower.ts";

export interface FollowParts {
  readonly follower: RegionFollower;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told of steps that fail, once a kind: the next one goes on where it stopped. */
  readonly report: (error: unknown) => void;
}

/** Resolves once `signal` is aborted and the step under way is done. */
export async function followHome({ follower, clock, signal, report }: FollowParts): Promise<void> {
  let reported = "";
  while (!signal.aborted) {
    let isBehind = false;
    try {
      ({ isBehind } = await follower.step());
      reported = "";
    } catch (error) {
      // Once for as long as it goes on.
      if (String(error) !== reported) report(error);
      reported = String(error);
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
