/** `GET /metrics`, and the same at the path that Tecton has it at: what this process has measured. */

import { Hono } from "hono";
import type { Context } from "hono";
import { mayDo } from "../access/principal.ts";
import type { Clock } from "../core/clock.ts";
import type { Observation } from "../observe/observation.ts";
import { familiesOf } from "../observe/serving-metrics.ts";
import { chooseFormat, writeMetrics } from "../observe/write-metrics.ts";
import { collectGauges } from "./collect-gauges.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireGrant } from "./require-grant.ts";
import type { WorkspacesParts } from "./workspace.ts";

export interface MetricsRouteParts extends WorkspacesParts {
  readonly clock: Clock;
  readonly observation: Observation;
  /** How many requests this process has refused for their credentials, by reason. */
  readonly refused: () => ReadonlyMap<string, number>;
}

/** A grant on any workspace shows all of them: a process has one set of metrics. */
export function metricsRoute(parts: MetricsRouteParts): Hono<HttpEnv> {
  const answer = async (c: Context<HttpEnv>) => {
    requireMetrics(c, [...parts.workspaces.keys()]);
    const { observation } = parts;
    observation.measureInFlight();
    for (const [reason, count] of parts.refused()) {
      observation.metrics.accessRefusals.of(reason).reach(count);
    }
    await collectGauges(parts, observation.metrics);
    const format = chooseFormat(c.req.header("accept"));
    return c.body(writeMetrics(familiesOf(observation.metrics), format), 200, {
      "content-type": format.contentType,
    });
  };
  return new Hono<HttpEnv>().get("/metrics", answer).get("/api/v1/observability/metrics", answer);
}

/** @throws FeatureError FORBIDDEN. */
function requireMetrics(c: Context<HttpEnv>, workspaces: readonly string[]): void {
  const actions = workspaces.map((workspace) => {
    return { scope: "metrics", workspace, service: null } as const;
  });
  const granted = actions.find((action) => mayDo(c.var.principal, action)) ?? actions[0];
  if (granted !== undefined) requireGrant(c, granted);
}
