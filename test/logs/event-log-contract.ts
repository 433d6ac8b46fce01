/** The contract of an event log's shard as a table of cases, run against every implementation. */

import { afterAll, beforeAll, describe, test } from "vitest";
import type { EventLogShard } from "../../src/store/event-log.ts";
import { appendCases } from "./append-cases.ts";
import { epochCases } from "./epoch-cases.ts";
import { memoryCases } from "./memory-cases.ts";
import { partitionCases } from "./partition-cases.ts";
import { requestCases } from "./request-cases.ts";

export interface LogsUnderTest {
  /** A shard of its own, empty; every operation meets it as a new process would. */
  open(name: string, idsMax: number): EventLogShard;
  close(): Promise<void>;
}

const cases = [...appendCases, ...memoryCases, ...requestCases, ...partitionCases, ...epochCases];

export function describeEventLog(name: string, start: () => Promise<LogsUnderTest>): void {
  describe(name, () => {
    let logs: LogsUnderTest | null = null;
    beforeAll(async () => {
      logs = await start();
    });
    afterAll(() => logs?.close());
    cases.forEach(({ name: caseName, idsMax = 1_000_000, run }, i) => {
      test(caseName, { timeout: 60_000 }, () =>
        run((logs as LogsUnderTest).open(`case-${i}`, idsMax)),
      );
    });
  });
}
