/** `Server-Timing`: where the time of an answer went, for the developer tools of a browser. */

import type { Phase, Stretch } from "./request-summary.ts";

/**
 * `store;dur=1.2, combine;dur=0.3, transform;dur=0.1, total;dur=2`, in milliseconds.
 *
 * Source: https://www.w3.org/TR/server-timing/
 */
export function writeServerTiming(phases: readonly Phase[], total: Stretch): string {
  let text = "";
  for (const phase of phases) text += `${phase.name};dur=${durationOf(phase)}, `;
  return `${text}total;dur=${durationOf(total)}`;
}

function durationOf({ startMs, endMs }: Stretch): number {
  return Math.round((endMs - startMs) * 1_000) / 1_000;
}
