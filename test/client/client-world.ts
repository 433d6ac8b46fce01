/** A client of a real app in this process, its clock and what it sends. */

import { createClient } from "../../adapters/client/client.ts";
import type { Client, ClientOptions } from "../../adapters/client/client.ts";
import { untilAborted } from "../../src/store/resilient/until-aborted.ts";
import { testOrigin } from "../builders/app.ts";
import type { TestApp } from "../builders/app.ts";
import { ManualClock } from "../builders/manual-clock.ts";

export const nowMs = Date.parse("2024-01-10T12:00:00Z");
export const singlePath = "/api/v1/feature-service/get-features";
export const batchPath = `${singlePath}-batch`;

export interface SentRequest {
  readonly path: string;
  readonly text: string;
  readonly headers: Headers;
  readonly signal: AbortSignal;
}

export interface ClientWorld {
  readonly client: Client;
  readonly clock: ManualClock;
  readonly sent: readonly SentRequest[];
  /** Requests wait before they come to the app, until what it returns is called. */
  close(): () => void;
}

/** Asks the app, or what stands between the two: a proxy, or a network that breaks off. */
export type Answerer = (request: SentRequest, url: string, init: RequestInit) => Promise<Response>;

export function openWorld(
  app: TestApp | Answerer,
  options: Partial<ClientOptions> = {},
): ClientWorld {
  const clock = new ManualClock(nowMs);
  const sent: SentRequest[] = [];
  let gate = Promise.resolve();
  const answer: Answerer =
    typeof app === "function" ? app : async (_, url, init) => app.app.request(url, init);
  const fetchOnce = async (url: string, init: RequestInit) => {
    const request = {
      path: url.slice(testOrigin.length),
      text: init.body as string,
      headers: new Headers(init.headers),
      signal: init.signal as AbortSignal,
    };
    sent.push(request);
    await untilAborted(gate, request.signal);
    return answer(request, url, init);
  };
  const client = createClient(
    { url: `${testOrigin}/`, ...options },
    { clock, random: () => 0.5, fetch: fetchOnce },
  );
  const close = () => {
    let open = () => {};
    gate = new Promise((resolve) => (open = resolve));
    return () => open();
  };
  return { client, clock, sent, close };
}

/** The user ids of a batch's rows. */
export function usersOf({ text }: SentRequest): readonly unknown[] {
  const { params } = JSON.parse(text) as {
    readonly params: {
      readonly requestData: readonly { readonly joinKeyMap: { readonly user_id: unknown } }[];
    };
  };
  return params.requestData.map(({ joinKeyMap }) => joinKeyMap.user_id);
}

export const purchases = [
  { id: "a", ts: "2024-01-10T11:30:00Z", user_id: "u", amt: 10, cents: 1000n, merchant: "m" },
  { id: "b", ts: "2024-01-10T11:50:00Z", user_id: "u", amt: 30, cents: 3000n, merchant: "n" },
  { id: "c", ts: "2024-01-10T11:55:00Z", user_id: "v", amt: 7, cents: 2n ** 62n, merchant: "m" },
];

/** What a promise comes to, without leaving a rejection unhandled meanwhile. */
export function outcomeOf<T>(promise: Promise<T>): Promise<{ value: T } | { error: unknown }> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
}
