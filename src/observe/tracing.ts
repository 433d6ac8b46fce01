/** The contract of whoever makes spans of requests. */

import type { RequestSummary } from "./request-summary.ts";

export interface Tracing {
  /**
   * Told of each request once it is over; spans carry the instants at which things were. Must not
   * throw. Answers the id of the request's trace, null where it is not traced.
   */
  record(summary: RequestSummary): string | null;
}
