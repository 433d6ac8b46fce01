/** The HTTP app: who may ask, what time it is, the routes, and what becomes of errors. */

import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Clock } from "../core/clock.ts";
import { assert } from "../core/errors.ts";
import { Observation } from "../observe/observation.ts";
import type { ObserveOptions } from "../observe/observation.ts";
import { accessOf } from "./access.ts";
import type { KeyAccess } from "./access.ts";
import { answerFailure, answerUnknownRoute, answerWrongMethod } from "./errors.ts";
import type { ReportError } from "./errors.ts";
import type { EncodingParts } from "./encodings/respond.ts";
import { getFeaturesBatchRoute } from "./get-features-batch-route.ts";
import { getFeaturesRoute } from "./get-features-route.ts";
import type { HomeRoutes } from "./home-routes.ts";
import { metadataRoute } from "./metadata-route.ts";
import { metricsRoute } from "./metrics-route.ts";
import { observeRequests } from "./observe-requests.ts";
import { openApiRoute } from "./openapi-route.ts";
import type { OpenApiParts } from "./openapi-route.ts";
import { readyRoute } from "./ready-route.ts";
import { requestClock } from "./request-clock.ts";
import type { HttpEnv } from "./request-clock.ts";
import { regionStatusRoute } from "./region-status-route.ts";
import { responseHeaders } from "./response-headers.ts";
import { shedLoad } from "./shed-load.ts";
import { ServingCache } from "../serve/serving-cache.ts";
import { refuseAtRegion } from "./workspace.ts";
import type { Workspace } from "./workspace.ts";

/** What a host gives the app. */
export interface AppParts extends EncodingParts, OpenApiParts {
  /** At least one, each with a name and homes of its own. */
  readonly workspaces: readonly Workspace[];
  /** `homeRoutes` where a workspace has a home here. */
  readonly homeRoutes?: HomeRoutes;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whether `x-tilemark-now` is honoured; a request that carries it is refused otherwise. */
  readonly testClock: boolean;
  /** "loopback": only names of this machine are answered, and may ask for everything. */
  readonly access: "loopback" | KeyAccess;
  /** Told of failures on this side, for the host to log. */
  readonly report: ReportError;
  /** What watches over requests; left out, they are counted for `GET /metrics` alone. */
  readonly observe?: ObserveOptions;
}

/** Answers requests through `app.fetch`. Nothing is read or written before the first one. */
export function createApp(given: AppParts): Hono {
  const parts = { ...given, workspaces: byName(given.workspaces) };
  const observation = new Observation({
    ...given.observe,
    clock: given.clock,
    random: given.random,
  });
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => answerFailure(c, error, parts.report));
  app.notFound(answerUnknownRoute);
  app.use(observeRequests(observation));
  const access = accessOf(parts);
  app.use(responseHeaders(parts.random), access.middleware, requestClock(parts));
  app.use("/api/*", shedLoad(parts));
  app.use("/ingest", shedLoad(parts));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: answerWrongMethod }));
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.route("/", readyRoute(parts));
  app.route("/", metricsRoute({ ...parts, observation, refused: access.refused }));
  app.route("/", getFeaturesRoute(parts));
  app.route("/", getFeaturesBatchRoute(parts));
  app.route("/", metadataRoute(parts));
  app.route("/", regionStatusRoute(parts));
  app.route("/", openApiRoute(parts));
  if (given.homeRoutes === undefined) {
    app.post("/ingest", refuseAtRegion).all("/admin/*", refuseAtRegion);
  } else {
    app.route("/", given.homeRoutes({ ...parts, refused: access.refused }));
  }
  return app as unknown as Hono;
}

function byName(workspaces: readonly Workspace[]): ReadonlyMap<string, Workspace> {
  const named = new Map(workspaces.map((workspace) => [workspace.name, withCache(workspace)]));
  assert(
    named.size === workspaces.length && named.size > 0,
    "each workspace has a name of its own",
  );
  return named;
}

/** Answers are kept where a view asks for it, and never where another workspace could meet them. */
function withCache(workspace: Workspace): Workspace {
  const views = [...workspace.repository.views.values()];
  const isCached = views.some(({ cacheMaxAgeMs }) => cacheMaxAgeMs !== null);
  return isCached ? { cache: new ServingCache(), ...workspace } : workspace;
}
