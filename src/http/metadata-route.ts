/** A service's `metadata`, v1 and v2: what it takes and what it answers with. */

import { Hono } from "hono";
import type { Context } from "hono";
import { limits } from "../core/limits.ts";
import type { ServiceDefinition } from "../define/definition.ts";
import { describeViews } from "../serve/service-features.ts";
import { findService } from "./find-service.ts";
import { readJson } from "./read-body.ts";
import { readServiceName } from "./read-get-features.ts";
import type { RequestHead } from "./read-get-features.ts";
import { joinKeysOf } from "./read-join-keys.ts";
import { requestTypesOf } from "./read-request-context.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireRead } from "./require-grant.ts";
import { readServicePath, v1Path, v2Path } from "./service-path.ts";
import type { WorkspacesParts } from "./workspace.ts";
import { writeServiceMetadata } from "./write-service-metadata.ts";
import type { ServiceShape } from "./write-service-metadata.ts";

export function metadataRoute(parts: WorkspacesParts): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .post(v1Path("metadata"), async (c) => {
      const body = await readJson(c.req.raw, limits.requestBodyBytesMax);
      return answerMetadata(c, parts, readServiceName(body));
    })
    .get(v2Path("metadata"), (c) => answerMetadata(c, parts, readServicePath(c)));
}

function answerMetadata(
  c: Context<HttpEnv>,
  parts: WorkspacesParts,
  named: Pick<RequestHead, "serviceName" | "workspaceName">,
): Response {
  requireRead(c, named);
  const { service } = findService(parts, named);
  return c.json(writeServiceMetadata(shapeOf(service)) as object);
}

function shapeOf(service: ServiceDefinition): ServiceShape {
  return {
    joinKeys: joinKeysOf(service),
    requestContextKeys: [...requestTypesOf(service)].map(([name, type]) => ({ name, type })),
    features: describeViews(service).flatMap(({ features }) => features),
  };
}
