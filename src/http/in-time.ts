/** Whether something gets done, in the time there is. */

import type { Clock } from "../core/clock.ts";
import { untilAborted } from "../store/resilient/until-aborted.ts";
import { withDeadline } from "../store/resilient/with-deadline.ts";

/** False for what fails, and for what is not done by then, which `signal` then ends. */
export async function inTime(
  clock: Clock,
  deadlineMs: number,
  run: (signal: AbortSignal) => Promise<unknown>,
): Promise<boolean> {
  const deadline = withDeadline(clock, deadlineMs);
  try {
    const outcome = run(deadline.signal).then(
      () => true,
      () => false,
    );
    return await untilAborted(outcome, deadline.signal).catch(() => false);
  } finally {
    deadline.dispose();
  }
}
