/** A client of Upstash with the settings under which it neither guesses nor repeats. */

import { Redis } from "@upstash/redis/cloudflare";

export interface UpstashCredentials {
  readonly url: string;
  readonly token: string;
}

/** What a store needs of the client; one with other settings would be wrong without a word. */
export type UpstashClient = Pick<Redis, "eval" | "mget" | "use">;

/**
 * The client for `UpstashStore`, on every runtime with `fetch`. Its defaults would:
 * - send a write again after a lost answer, five times over four seconds, and twice with `retry: false`;
 * - parse values as JSON, so that text becomes numbers, booleans or null;
 * - gather commands into a pipeline, which no signal of one of them can abort;
 * - have values encoded as base64, which ours are already;
 * - tell the service about the runtime with every request.
 */
export function createUpstashClient({ url, token }: UpstashCredentials): UpstashClient {
  return new Redis({
    url,
    token,
    retry: { retries: 0 },
    automaticDeserialization: false,
    enableAutoPipelining: false,
    enableTelemetry: false,
    responseEncoding: false,
  });
}
