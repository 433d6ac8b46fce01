/** What a home answers besides features: it takes events, and compactions, keys and regions ask it. */

import { Hono } from "hono";
import { adminRoutes } from "./admin-routes.ts";
import { ingestRoute } from "./ingest-route.ts";
import type { IngestRouteParts } from "./ingest-route.ts";
import type { KeyRoutesParts } from "./key-routes.ts";
import type { HttpEnv } from "./request-clock.ts";

export type HomeRoutesParts = IngestRouteParts & KeyRoutesParts;

/** Given to an app by hosts that are a home, so that those that are none have no byte of it. */
export type HomeRoutes = (parts: HomeRoutesParts) => Hono<HttpEnv>;

export function homeRoutes(parts: HomeRoutesParts): Hono<HttpEnv> {
  return new Hono<HttpEnv>().route("/", ingestRoute(parts)).route("/admin", adminRoutes(parts));
}
