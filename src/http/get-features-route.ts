/** `get-features`, v1 and v2: one vector. */

import { Hono } from "hono";
import type { Context } from "hono";
import { limits } from "../core/limits.ts";
import { viewReads } from "../serve/answer-service.ts";
import type { ServedFeature } from "../serve/answer-service.ts";
import type { ViewAnswer } from "../serve/view-answer.ts";
import { answerInTime } from "./answer-in-time.ts";
import type { AnswerParts } from "./answer-in-time.ts";
import { respondIn } from "./encodings/respond.ts";
import type { EncodingParts } from "./encodings/respond.ts";
import { findService } from "./find-service.ts";
import { readJson } from "./read-body.ts";
import { readGetFeatures } from "./read-get-features.ts";
import { readJoinKeys } from "./read-join-keys.ts";
import { readRequestContext } from "./read-request-context.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireRead } from "./require-grant.ts";
import { readSeen, seenHeader, writeSeen } from "./seen-token.ts";
import { readServicePath, v1Path, v2Path } from "./service-path.ts";
import type { ServicePath } from "./service-path.ts";
import type { WorkspacesParts } from "./workspace.ts";
import { writeExplanation } from "./write-explanation.ts";

export interface GetFeaturesParts extends WorkspacesParts, AnswerParts, EncodingParts {}

export function getFeaturesRoute(parts: GetFeaturesParts): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .post(v1Path("get-features"), (c) => answerOne(c, parts, null))
    .post(v2Path("get-features"), (c) => answerOne(c, parts, readServicePath(c)));
}

async function answerOne(
  c: Context<HttpEnv>,
  parts: GetFeaturesParts,
  path: ServicePath | null,
): Promise<Response> {
  const respond = respondIn(c, parts);
  const body = await readJson(c.req.raw, limits.requestBodyBytesMax);
  const request = readGetFeatures(body, path);
  requireRead(c, request);
  const { workspace, service } = findService(parts, request);
  c.get("observed").beginService({ workspace: workspace.name, service: service.name }, 1);
  const row = {
    reads: viewReads(service, readJoinKeys(service, request.joinKeyMap)),
    requestValues: readRequestContext(service, request.requestContextMap, request.requestOptions),
  };
  const token = c.req.header(seenHeader);
  const { rows, read, cost, runs } = await answerInTime(c, parts, {
    workspace,
    service,
    request,
    rows: [row],
    ...(token !== undefined && { seen: readSeen(token) }),
    explain: request.explain,
  });
  const one = rows[0] as readonly ServedFeature[];
  const answers = read.rows[0] as readonly ViewAnswer[];
  const { nowMs, observed } = c.var;
  const { trips, phases } = observed;
  const explained = { service, nowMs, answers, features: one, runs, trips, phases };
  const explanation = request.explain ? writeExplanation(explained) : null;
  return respond(
    { one },
    { service, request, cost, explanation },
    {
      ...(token !== undefined && {
        [seenHeader]: writeSeen(answers),
      }),
    },
  );
}
