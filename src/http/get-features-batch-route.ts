/**
 * `POST /api/v1/feature-service/get-features-batch`: many vectors of one service.
 *
 * A row that cannot be read, for a join key that is missing or of another type, refuses the request
 * with a 400 that names it: the wire has no place for an error of a row, and nulls in its place would
 * look like an entity that nobody knows. What fails in answering a row is told by the status of its
 * features and leaves the other rows alone.
 */

import { Hono } from "hono";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { readRows } from "../serve/answer-rows.ts";
import { finishService, viewReads } from "../serve/answer-service.ts";
import type { ViewAnswer } from "../serve/view-answer.ts";
import { findService } from "./find-service.ts";
import type { GetFeaturesParts } from "./get-features-route.ts";
import { readJson } from "./read-body.ts";
import { readGetFeaturesBatch } from "./read-get-features-batch.ts";
import { readJoinKeys } from "./read-join-keys.ts";
import { readRequestContext } from "./read-request-context.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireRead } from "./require-grant.ts";
import { seenHeader } from "./seen-token.ts";
import { writeGetFeaturesBatch } from "./write-get-features-batch.ts";

const route = "/api/v1/feature-service/get-features-batch";

export function getFeaturesBatchRoute(parts: GetFeaturesParts): Hono<HttpEnv> {
  return new Hono<HttpEnv>().post(route, async (c) => {
    const { nowMs, startedAtMs, signal } = c.var;
    refuseSeen(c.req.header(seenHeader));
    const request = readGetFeaturesBatch(await readJson(c.req.raw, limits.requestBodyBytesMax));
    requireRead(c, request);
    const { workspace, service } = findService(parts, request);
    const asked = request.rows.map((row, i) =>
      inRow(i, () => ({
        reads: viewReads(service, readJoinKeys(service, row.joinKeyMap)),
        requestValues: readRequestContext(service, row.requestContextMap, request.requestOptions),
      })),
    );
    const reads = asked.map((row) => row.reads);
    const { rows, cost } = await readRows(workspace.homes, reads, { nowMs, signal });
    const readAtMs = parts.clock.now();
    const report = (error: unknown) => parts.report(error, { route: `POST ${route}` });
    const features = asked.map(({ requestValues }, i) =>
      finishService(service, {
        requestValues,
        answers: rows[i] as readonly ViewAnswer[],
        nowMs,
        report,
      }),
    );
    const doneAtMs = parts.clock.now();
    const answer = writeGetFeaturesBatch(features, {
      service,
      request,
      cost: {
        storeBytes: cost.storeBytes,
        serverMs: doneAtMs - startedAtMs,
        transformMs: doneAtMs - readAtMs,
      },
    });
    return c.json(answer as object);
  });
}

/** A token is of one entity; to pass over it would break what its sender counts on. */
function refuseSeen(token: string | undefined): void {
  if (token === undefined) return;
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot use header "${seenHeader}": it speaks of one entity and the request is a batch, send it with get-features`,
  );
}

/** @throws what the reading of a row throws, with the row's place. */
function inRow<T>(index: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FeatureError)) throw error;
    const { code, message } = error;
    throw new FeatureError(code, `Cannot read "params.requestData.${index}": ${message}`, {
      cause: error,
    });
  }
}
