/** Answers rows of a service in the time that a request has: read in one round, then worked out. */

import type { Context } from "hono";
import type { Clock } from "../core/clock.ts";
import { limits } from "../core/limits.ts";
import type { Value } from "../core/value.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import { readRows } from "../serve/answer-rows.ts";
import type { RowsRead } from "../serve/answer-rows.ts";
import { finishService, refuseService } from "../serve/answer-service.ts";
import type { ServedFeature } from "../serve/answer-service.ts";
import type { ViewRead } from "../serve/named-reads.ts";
import type { OnDemandRun } from "../serve/run-on-demand.ts";
import type { FeatureFault, SeenView } from "../serve/view-answer.ts";
import { routeOf } from "./errors.ts";
import type { ReportError } from "./errors.ts";
import type { RequestHead } from "./read-get-features.ts";
import type { HttpEnv } from "./request-clock.ts";
import { startDeadline } from "./request-deadline.ts";
import type { AnswerCost } from "./slo-info.ts";
import type { Workspace } from "./workspace.ts";

/** A row as it is read and worked out. */
export interface ReadableRow {
  readonly reads: readonly ViewRead[];
  readonly requestValues: ReadonlyMap<string, Value>;
}

/** A row that cannot be read says why. */
export type AskedRow = ReadableRow | FeatureFault;

export interface AskedRows {
  readonly workspace: Pick<Workspace, "homes" | "cache">;
  readonly service: ServiceDefinition;
  readonly request: Pick<RequestHead, "requestOptions" | "allowPartialResults">;
  readonly rows: readonly AskedRow[];
  readonly seen?: ReadonlyMap<string, SeenView>;
  /** Whether what the answers were made of is kept, to be explained. */
  readonly explain?: boolean;
}

export interface AnsweredRows {
  /** In the order of the rows. */
  readonly rows: readonly (readonly ServedFeature[])[];
  /** What was read for the rows that could be. */
  readonly read: RowsRead;
  readonly cost: AnswerCost;
  /** How on-demand views ran, where that is to be explained. */
  readonly runs: readonly OnDemandRun[];
}

/** Of a host, and what the route makes of it. */
export interface AnswerParts {
  readonly clock: Clock;
  readonly report: ReportError;
}

/** @throws FeatureError as `readViews` does. */
export async function answerInTime(
  c: Context<HttpEnv>,
  { clock, report }: AnswerParts,
  asked: AskedRows,
): Promise<AnsweredRows> {
  const { nowMs, startedAtMs, observed } = c.var;
  const { service, request, seen, explain = false } = asked;
  const { homes, cache } = asked.workspace;
  const { latencyBudgetMs: budgetMs, readFromCache, writeToCache } = request.requestOptions;
  // What is kept says nothing of what its client has seen.
  const mayTake = readFromCache && seen === undefined;
  const followed = c.req.raw.signal;
  const deadline = startDeadline({ clock, startedAtMs, budgetMs, followed });
  try {
    const readable = asked.rows.filter(isReadable).map(({ reads }) => reads);
    const read = await readRows(observed.homesOf(homes), readable, {
      nowMs,
      signal: deadline.signal,
      giveUpSignal: deadline.giveUpSignal,
      leaveOutLate: budgetMs !== null,
      allowPartialResults: request.allowPartialResults,
      ...(seen !== undefined && { seen }),
      ...(cache !== undefined && { cache: { cache, read: mayTake, write: writeToCache } }),
      keepEvidence: explain,
    });
    observed.endRead(read.rows, nowMs);
    const readAtMs = clock.now();
    const timer = {
      now: () => clock.now(),
      untilMs: Math.min(readAtMs + limits.transformMsMax, deadline.atMs),
    };
    const reportFailure = (error: unknown) => {
      observed.fail("TRANSFORM_FAILED", error);
      report(error, { route: routeOf(c) });
    };
    const runs: OnDemandRun[] = [];
    const tap = { now: () => observed.nowMs(), onRun: (run: OnDemandRun) => runs.push(run) };
    const shared = { nowMs, timer, report: reportFailure, ...(explain && { tap }) };
    const answers = read.rows.values();
    const rows = asked.rows.map((row) => {
      if (!isReadable(row)) return refuseService(service, row);
      const { requestValues } = row;
      return finishService(service, {
        ...shared,
        requestValues,
        answers: answers.next().value ?? [],
      });
    });
    observed.endTransform(rows);
    const doneAtMs = clock.now();
    const { storeBytes } = read.cost;
    const serverMs = doneAtMs - startedAtMs;
    return { rows, read, cost: { storeBytes, serverMs, transformMs: doneAtMs - readAtMs }, runs };
  } finally {
    deadline.dispose();
  }
}

function isReadable(row: AskedRow): row is ReadableRow {
  return "reads" in row;
}
