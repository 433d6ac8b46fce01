/** A worker for tests: runs the contract of an Upstash store, and answers how each case ended. */

import { openUpstashCases } from "./upstash-opener.ts";
import type { CaseOutcome } from "./run-contract.ts";

export default {
  /** The body is the address of the database. */
  async fetch(request: Request): Promise<Response> {
    const { cases } = openUpstashCases(await request.text(), "workerd/");
    const outcomes: CaseOutcome[] = [];
    for (const { name, skip, run } of cases) {
      if (skip !== null) {
        outcomes.push({ name, status: "skipped", reason: skip });
        continue;
      }
      try {
        await run();
        outcomes.push({ name, status: "passed" });
      } catch (error) {
        outcomes.push({ name, status: "failed", reason: String(error) });
      }
    }
    return Response.json(outcomes);
  },
};
