/** A worker for tests: runs the contract of a store that needs `fetch` alone, and answers how. */

import { openDynamodbCases } from "./dynamodb-opener.ts";
import type { OpenedCases } from "./open-store-cases.ts";
import type { CaseOutcome } from "./run-contract.ts";
import { openUpstashCases } from "./upstash-opener.ts";

const openCases: Readonly<Record<string, (address: string, keyPrefix: string) => OpenedCases>> = {
  dynamodb: openDynamodbCases,
  upstash: openUpstashCases,
};

export default {
  /** The path names the store, the body is its address. */
  async fetch(request: Request): Promise<Response> {
    const name = new URL(request.url).pathname.slice(1);
    const open = openCases[name];
    if (open === undefined) return new Response("no such store", { status: 404 });
    const outcomes: CaseOutcome[] = [];
    for (const { name, skip, run } of open(await request.text(), "workerd/").cases) {
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
