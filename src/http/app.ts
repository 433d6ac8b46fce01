/** The HTTP app: who may ask, what time it is, the routes, and what becomes of errors. */

import { Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { Clock } from "../core/clock.ts";
import { assert } from "../core/errors.ts";
import { giveLocalAccess, requireLoopback } from "./access.ts";
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
import type { Workspace } from "./workspace.ts";

/** What a host gives the app. */
export interface AppParts {
  /** At least one, each with a name and homes of its own. */
  readonly workspaces: readonly Workspace[];
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whether `x-tilemark-now` is honoured; a request that carries it is refused otherwise. */
  readonly testClock: boolean;
  /** Only names of this machine are answered. */
  readonly access: "loopback";
  /** Told of failures on this side, for the host to log. */
  readonly report: ReportError;
}

/** Answers requests through `app.fetch`. Nothing is read or written before the first one. */
export function createApp(given: AppParts): Hono {
  const parts = { ...given, workspaces: byName(given.workspaces) };
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => answerFailure(c, error, parts.report));
  app.notFound(answerUnknownRoute);
  app.use(requireLoopback, giveLocalAccess, requestClock(parts));
  app.use("/api/*", shedLoad(parts), requestDeadline(parts));
  app.use("/ingest", shedLoad(parts));
  app.use(methodNotAllowed({ app, onMethodNotAllowed: answerWrongMethod }));
  app.get("/healthz", (c) => c.json({ status: "ok" }));
  app.route("/", getFeaturesRoute(parts));
  app.route("/", getFeaturesBatchRoute(parts));
  app.route("/", ingestRoute(parts));
  app.route("/", regionStatusRoute(parts));
  app.route("/admin", adminRoutes(parts));
  return app as unknown as Hono;
}

function byName(workspaces: readonly Workspace[]): ReadonlyMap<string, Workspace> {
  const named = new Map(workspaces.map((workspace) => [workspace.name, workspace]));
  assert(
    named.size === workspaces.length && named.size > 0,
    "each workspace has a name of its own",
  );
  return named;
}
