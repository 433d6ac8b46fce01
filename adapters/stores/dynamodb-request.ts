/** Signed requests to DynamoDB: one operation a request, JSON in and out. */

import type { AwsClient } from "aws4fetch";
import { FeatureError } from "../../src/core/errors.ts";

export interface DynamodbOptions {
  readonly table: string;
  /** As `eu-central-1`. */
  readonly region: string;
  /** Where another than the region's own answers: a VPC endpoint, or a local one. */
  readonly endpoint?: string;
  /** How long one request may take, in milliseconds; 10,000 if left out. */
  readonly requestMsMax?: number;
}

export interface DynamodbRequest {
  readonly operation: string;
  readonly body: object;
  readonly signal?: AbortSignal | undefined;
}

/** An answer that is an error, by its type alone: the message may hold keys. */
export class DynamodbRefusal extends Error {
  readonly type: string;

  constructor(type: string) {
    super(type);
    this.name = "DynamodbRefusal";
    this.type = type;
  }

  get isThrottling(): boolean {
    return /^(Throttling|ProvisionedThroughputExceeded|RequestLimitExceeded)/.test(this.type);
  }
}

/**
 * Sends once. The client only signs: its own retries would send a guarded write again whose answer
 * was lost, and take the second answer, that the guard does not hold, for the first one's.
 *
 * @throws DynamodbRefusal for an answer that is an error.
 */
export async function sendDynamodb(
  aws: Pick<AwsClient, "sign">,
  options: DynamodbOptions,
  { operation, body, signal }: DynamodbRequest,
): Promise<Record<string, unknown>> {
  const { region, endpoint = `https://dynamodb.${region}.amazonaws.com` } = options;
  const timeout = AbortSignal.timeout(options.requestMsMax ?? 10_000);
  const request = await aws.sign(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-amz-json-1.0",
      "x-amz-target": `DynamoDB_20120810.${operation}`,
    },
    body: JSON.stringify(body),
    aws: { service: "dynamodb", region },
  });
  const response = await fetch(request, {
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  const text = await response.text();
  if (!response.ok) throw new DynamodbRefusal(refusalType(response.status, text));
  return JSON.parse(text) as Record<string, unknown>;
}

/** Of `{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", …}` the last word. */
function refusalType(status: number, text: string): string {
  return /"__type"\s*:\s*"(?:[^"#]*#)?(\w+)"/.exec(text)?.[1] ?? `HTTP ${status}`;
}

/** What failed is told by its kind: the texts of platforms may hold keys. */
export function dynamodbUnavailable(action: "read" | "write", error: unknown): FeatureError {
  const kind = error instanceof DynamodbRefusal ? error.type : nameOf(error);
  return new FeatureError("STORE_UNAVAILABLE", `Cannot ${action} DynamoDB: the ${action} failed`, {
    cause: new Error(kind),
    retryable: true,
  });
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "Error";
}
