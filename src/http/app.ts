/** The HTTP app: who may ask, what time it is, the routes, and what becomes of errors. */

import { Hono } from "hono";
import type { Context } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Clock } from "../core/clock.ts";
import { FeatureError } from "../core/errors.ts";
import type { PublisherAccess } from "../compact/compaction-api.ts";
import type { Repository } from "../define/definition.ts";
import type { LogAccess } from "../ingest/log-home.ts";
import type { ServingHomes } from "../serve/read-views.ts";
import { requireLoopback } from "./access.ts";
import { adminRoutes } from "./admin-routes.ts";
import { answerFailure, answerUnknownRoute, answerWrongMethod } from "./errors.ts";
import type { ReportError } from "./errors.ts";
import { getFeaturesBatchRoute } from "./get-features-batch-route.ts";
import { getFeaturesRoute } from "./get-features-route.ts";
import { ingestRoute } from "./ingest-route.ts";
import { requestClock } from "./request-clock.ts";
import type { HttpEnv } from "./request-clock.ts";
import { regionStatusRoute } from "./region-status-route.ts";
import { requestDeadline } from "./request-deadline.ts";
import { shedLoad } from "./shed-load.ts";

/** What a host gives the app. */
export interface AppParts {
  readonly repository: Repository;
  /** Names accepted as a workspace; any if left out. */
  readonly workspaces?: readonly string[];
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly homes: ServingHomes;
  /** Where events are taken in and compactions publish; left out where requests are answered alone. */
  readonly home?: HomeParts;
  /** Whether `x-tilemark-now` is honoured; a request that carries it is refused otherwise. */
  readonly testClock: boolean;
  /** Only names of this machine are answered. */
  readonly access: "loopback";
  /** Told of failures on this side, for the host to log. */
  readonly report: ReportError;
}

/** The truth about what was acknowledged, and who publishes. */
export interface HomeParts {
  /** The names of all logs. */
  readonly logs: readonly string[];
  readonly logShards: (log: string) => readonly LogAccess[];
  readonly publisher: PublisherAccess;
}

function refuseAtRegion(c: Context): never {
  throw new FeatureError(
    "NOT_FOUND",
    `Cannot answer "${c.req.method} ${c.req.path.slice(0, 200)}": this region follows a home, send it there`,
  );
}

/** Answers requests through `app.fetch`. Nothing is read or written before the first one. */
export function createApp(parts: AppParts): Hono {
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => answerFailure(c, error, parts.report));
  app.notFound(answerUnknownRoute);
  app.use(requireLoopback, requestClock(parts));
  app.use("/api/*", shedLoad(parts), requestDeadline(parts));
  app.use("/ingest", shedLoad(parts));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: answerWrongMethod }));
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.route("/", getFeaturesRoute(parts));
  app.route("/", getFeaturesBatchRoute(parts));
  const { region } = parts.homes;
  if (region !== undefined) app.route("/", regionStatusRoute({ ...parts, region }));
  if (parts.home === undefined) {
    app.post("/ingest", refuseAtRegion).all("/admin/*", refuseAtRegion);
  } else {
    app.route("/", ingestRoute({ ...parts, ...parts.home }));
    app.route("/admin", adminRoutes({ ...parts, ...parts.home }));
  }
  return app as unknown as Hono;
}
