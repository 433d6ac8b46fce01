/** `POST /api/v1/feature-service/get-features`: one vector. */

import { Hono } from "hono";
import { limits } from "../core/limits.ts";
import { finishService, readService } from "../serve/answer-service.ts";
import type { ReportError } from "./errors.ts";
import { findService } from "./find-service.ts";
import { readJson } from "./read-body.ts";
import { readGetFeatures } from "./read-get-features.ts";
import { readJoinKeys } from "./read-join-keys.ts";
import { readRequestContext } from "./read-request-context.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireRead } from "./require-grant.ts";
import { readSeen, seenHeader, writeSeen } from "./seen-token.ts";
import type { WorkspacesParts } from "./workspace.ts";
import { writeGetFeatures } from "./write-get-features.ts";

export interface GetFeaturesParts extends WorkspacesParts {
  readonly clock: { now(): number };
  readonly report: ReportError;
}

const route = "/api/v1/feature-service/get-features";

export function getFeaturesRoute(parts: GetFeaturesParts): Hono<HttpEnv> {
  return new Hono<HttpEnv>().post(route, async (c) => {
    const { nowMs, startedAtMs, signal } = c.var;
    const request = readGetFeatures(await readJson(c.req.raw, limits.requestBodyBytesMax));
    requireRead(c, request);
    const { workspace, service } = findService(parts, request);
    const joinKeys = readJoinKeys(service, request.joinKeyMap);
    const requestValues = readRequestContext(
      service,
      request.requestContextMap,
      request.requestOptions,
    );
    const token = c.req.header(seenHeader);
    const { answers, cost } = await readService(workspace.homes, service, {
      joinKeys,
      nowMs,
      signal,
      ...(token !== undefined && { seen: readSeen(token) }),
    });
    const readAtMs = parts.clock.now();
    const features = finishService(service, {
      requestValues,
      answers,
      nowMs,
      report: (error) => parts.report(error, { route: `POST ${route}` }),
    });
    const doneAtMs = parts.clock.now();
    const answer = writeGetFeatures(features, {
      service,
      request,
      cost: {
        storeBytes: cost.storeBytes,
        serverMs: doneAtMs - startedAtMs,
        transformMs: doneAtMs - readAtMs,
      },
    });
    return c.json(answer as object, 200, {
      ...(token !== undefined && { [seenHeader]: writeSeen(answers) }),
    });
  });
}
