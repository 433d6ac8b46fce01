/**
 * `tilemark/client`: features for browsers, Workers, Node, Deno and Bun. It needs nothing but what
 * they all have: fetch, timers and abort signals.
 */

import type { Client } from "../../src/client/create-client.ts";
import { createClient as createClientOn } from "../../src/client/create-client.ts";
import type { ClientHost, ClientOptions } from "../../src/client/client-options.ts";
import { hostClock } from "../host-clock.ts";

export { TilemarkError } from "../../src/client/tilemark-error.ts";
export type { Client } from "../../src/client/create-client.ts";
export type {
  BatchOptions,
  CallOptions,
  ClientHost,
  ClientOptions,
  IngestOptions,
} from "../../src/client/client-options.ts";
export type { IngestCounts } from "../../src/client/ingest-records.ts";
export type {
  FeatureDetails,
  FeaturesAnswer,
  FeaturesQuery,
  FeatureStatus,
  RecordOf,
  ServiceHandle,
  ServiceRef,
  SourceHandle,
  SourceRef,
} from "../../src/client/service-call.ts";
export type { TilemarkErrorCode } from "../../src/client/tilemark-error.ts";

/**
 * A client of one server. Calls that are made in one tick go together; each call has its own deadline,
 * of 2,000 ms with all retries, and its own signal.
 *
 * @param host replaces the platform's clock, timers, randomness or fetch, for tests.
 * @throws TypeError for a URL that is none, RangeError for a number out of its range.
 * @example
 * import type { fraud as fraudService } from "./features.ts";
 *
 * const client = createClient({ url: "https://features.example", apiKey });
 * const fraud = client.service<typeof fraudService>("fraud");
 * const { features, statuses } = await client.getFeatures(fraud, {
 *   joinKeys: { user_id: "u1" },
 *   request: { amt: 12.5 },
 * });
 */
export function createClient(options: ClientOptions, host: Partial<ClientHost> = {}): Client {
  return createClientOn(options, {
    clock: hostClock(),
    random: Math.random,
    // Called through a function of its own: some hosts refuse theirs as another object's method.
    fetch: (url, init) => fetch(url, init),
    ...host,
  });
}
