/**
 * `get-features-batch`, v1 and v2: many vectors of one service.
 *
 * A row that cannot be read, for a join key or request value that is missing or of another type, has
 * nulls with the status UNKNOWN, and the reason in the details; it leaves the other rows alone. Where
 * that is so of every row there is nothing to answer: the request is refused for the first of them.
 */

import { Hono } from "hono";
import type { Context } from "hono";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import { viewReads } from "../serve/answer-service.ts";
import { answerInTime } from "./answer-in-time.ts";
import type { AskedRow, ReadableRow } from "./answer-in-time.ts";
import { respondIn } from "./encodings/respond.ts";
import { findService } from "./find-service.ts";
import type { GetFeaturesParts } from "./get-features-route.ts";
import { readJson } from "./read-body.ts";
import { readGetFeaturesBatch } from "./read-get-features-batch.ts";
import type { GetFeaturesBatchRequest } from "./read-get-features-batch.ts";
import { readJoinKeys } from "./read-join-keys.ts";
import { readRequestContext } from "./read-request-context.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireRead } from "./require-grant.ts";
import { seenHeader } from "./seen-token.ts";
import { readServicePath, v1Path, v2Path } from "./service-path.ts";
import type { ServicePath } from "./service-path.ts";

export function getFeaturesBatchRoute(parts: GetFeaturesParts): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .post(v1Path("get-features-batch"), (c) => answerMany(c, parts, null))
    .post(v2Path("get-features-batch"), (c) => answerMany(c, parts, readServicePath(c)));
}

async function answerMany(
  c: Context<HttpEnv>,
  parts: GetFeaturesParts,
  path: ServicePath | null,
): Promise<Response> {
  const respond = respondIn(c, parts);
  refuseSeen(c.req.header(seenHeader));
  const body = await readJson(c.req.raw, limits.requestBodyBytesMax);
  const request = readGetFeaturesBatch(body, path);
  requireRead(c, request);
  const { workspace, service } = findService(parts, request);
  const place = { workspace: workspace.name, service: service.name };
  c.get("observed").beginService(place, request.rows.length);
  const { rows, cost } = await answerInTime(c, parts, {
    workspace,
    service,
    request,
    rows: readRows(service, request),
  });
  return respond({ many: rows }, { service, request, cost, explanation: null });
}

/** A token is of one entity; to pass over it would break what its sender counts on. */
function refuseSeen(token: string | undefined): void {
  if (token === undefined) return;
  throw new FeatureError(
    "INVALID_REQUEST",
    `Cannot use header "${seenHeader}": it speaks of one entity and the request is a batch, send it with get-features`,
  );
}

/** @throws FeatureError that the reading of the first row met, with its place, where no row can be read. */
function readRows(
  service: ServiceDefinition,
  { rows, requestOptions }: GetFeaturesBatchRequest,
): readonly AskedRow[] {
  const read = rows.map(({ joinKeyMap, requestContextMap }) =>
    orError(() => ({
      reads: viewReads(service, readJoinKeys(service, joinKeyMap)),
      requestValues: readRequestContext(service, requestContextMap, requestOptions),
    })),
  );
  const [first] = read;
  if (first instanceof FeatureError && read.every((row) => row instanceof FeatureError)) {
    const { code, message } = first;
    throw new FeatureError(code, `Cannot read "params.requestData.0": ${message}`, {
      cause: first,
    });
  }
  return read.map((row) =>
    row instanceof FeatureError ? { code: "INVALID_ROW", message: row.message } : row,
  );
}

function orError(read: () => ReadableRow): ReadableRow | FeatureError {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FeatureError)) throw error;
    return error;
  }
}
