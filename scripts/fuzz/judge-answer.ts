/** Whether an answer is one of those that are documented for its route. */

import type { RequestKind } from "./valid-requests.ts";

/** What is wrong with it; null where nothing is. */
export function judgeAnswer(kind: RequestKind, status: number, text: string): string | null {
  if (status >= 500) return `it is a ${status}`;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    return `its body is no JSON: ${String(error)}`;
  }
  if (!isObject(body)) return "its body is no object";
  if (status === 200) return succeeds[kind](body) ? null : "its body is none of the route's";
  const isError = failsAsDocumented(body) || (kind === "ingest" && failsAsIngest(body));
  return isError ? null : `its body is none of a ${status}`;
}

type Fields = Readonly<Record<string, unknown>>;

const succeeds: Readonly<Record<RequestKind, (body: Fields) => boolean>> = {
  "get-features": (body) => isVector(body["result"]) && hasOnly(body, ["result", "metadata"]),
  "get-features-batch": (body) =>
    Array.isArray(body["result"]) &&
    body["result"].every(isVector) &&
    hasOnly(body, ["result", "metadata"]),
  metadata: (body) =>
    body["featureServiceType"] === "DEFAULT" &&
    Array.isArray(body["inputJoinKeys"]) &&
    Array.isArray(body["featureValues"]),
  ingest: (body) => typeof body["workspaceName"] === "string" && isObject(body["ingestMetrics"]),
};

function isVector(value: unknown): boolean {
  return isObject(value) && Array.isArray(value["features"]) && hasOnly(value, ["features"]);
}

function failsAsDocumented(body: Fields): boolean {
  return (
    hasOnly(body, ["error", "code", "message"]) &&
    typeof body["message"] === "string" &&
    body["error"] === body["message"] &&
    Number.isInteger(body["code"])
  );
}

function failsAsIngest(body: Fields): boolean {
  const { requestError, recordErrors } = body;
  if (Array.isArray(recordErrors)) return typeof body["workspaceName"] === "string";
  return (
    isObject(requestError) &&
    typeof requestError["errorMessage"] === "string" &&
    typeof requestError["errorType"] === "string"
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function hasOnly(value: Fields, names: readonly string[]): boolean {
  return Object.keys(value).every((name) => names.includes(name));
}
