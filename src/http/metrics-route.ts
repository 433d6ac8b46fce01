/** `GET /metrics`, and the same at the path that Tecton has it at: what this process has measured. */

import { Hono } from "hono";
import type { Context } from "hono";
import type { Clock } from "../core/clock.ts";
import type { Observation } from "../observe/observation.ts";
import { familiesOf } from "../observe/serving-metrics.ts";
import type { ServingMetrics } from "../observe/serving-metrics.ts";
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

/** It takes a grant on every workspace: a process has one set of metrics for all of them. */
export function metricsRoute(parts: MetricsRouteParts): Hono<HttpEnv> {
  const answer = async (c: Context<HttpEnv>) => {
    for (const workspace of parts.workspaces.keys()) {
      requireGrant(c, { scope: "metrics", workspace, service: null });
    }
    const { observation } = parts;
    observation.measureInFlight();
    for (const [reason, count] of parts.refused()) {
      observation.metrics.accessRefusals.of(reason).reach(count);
    }
    countCaches(parts, observation.metrics);
    await collectGauges(parts, observation.metrics);
    const format = chooseFormat(c.req.header("accept"));
    return c.body(writeMetrics(familiesOf(observation.metrics), format), 200, {
      "content-type": format.contentType,
    });
  };
  return new Hono<HttpEnv>().get("/metrics", answer).get("/api/v1/observability/metrics", answer);
}

/** Those of workspaces that have one. */
function countCaches({ workspaces }: WorkspacesParts, metrics: ServingMetrics): void {
  for (const { name, cache } of workspaces.values()) {
    if (cache === undefined) continue;
    const { hits, misses, evictions, entries, sizeBytes } = cache.counts();
    metrics.cacheLookups.of(name, "hit").reach(hits);
    metrics.cacheLookups.of(name, "miss").reach(misses);
    metrics.cacheEvictions.of(name).reach(evictions);
    metrics.cacheEntries.of(name).set(entries);
    metrics.cacheSize.of(name).set(sizeBytes);
  }
}
