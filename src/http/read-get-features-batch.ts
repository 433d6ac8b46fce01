/** The request for many vectors of one service, in either spelling of its field names. */

import * as z from "zod/mini";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { camelCaseFields, fieldOf, parseEnvelope } from "./parse-envelope.ts";
import { headFields, readHead, readRow, respellHead, rowFields } from "./read-get-features.ts";
import type { RequestHead, RequestRow } from "./read-get-features.ts";
import type { ServicePath } from "./service-path.ts";

export interface GetFeaturesBatchRequest extends RequestHead {
  /** In the order of the request, repeated ones included. */
  readonly rows: readonly RequestRow[];
}

const unexplained = z.optional(z.literal(false, "false: explain one row with get-features"));

const bodySchema = z.object(
  {
    params: z.object(
      {
        ...headFields,
        explain: unexplained,
        requestData: z.array(z.object(rowFields, "an object"), "an array"),
      },
      "an object",
    ),
  },
  "an object",
);

/**
 * @param path - Of a v2 request; null where the body names the service.
 * @throws FeatureError INVALID_REQUEST naming the field that is wrong, TOO_LARGE for more rows than
 * one request may have.
 */
export function readGetFeaturesBatch(
  body: unknown,
  path: ServicePath | null,
): GetFeaturesBatchRequest {
  const { params } = parseEnvelope(bodySchema, respell(body, path));
  const { requestData } = params;
  if (requestData.length > limits.batchRowsMax) {
    throw new FeatureError(
      "TOO_LARGE",
      `Cannot read request: "params.requestData" has ${requestData.length} rows, expected at most ${limits.batchRowsMax}`,
    );
  }
  return { ...readHead(params), rows: requestData.map(readRow) };
}

function respell(body: unknown, path: ServicePath | null): unknown {
  const head = respellHead(body, path);
  const params = fieldOf(head, "params");
  const rows = fieldOf(params, "requestData");
  if (!Array.isArray(rows)) return head;
  return { params: { ...(params as object), requestData: rows.map(camelCaseFields) } };
}
