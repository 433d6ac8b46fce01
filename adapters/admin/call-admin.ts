/** Calls to a server's admin routes. */

import { FeatureError } from "../../src/core/errors.ts";
import type { ErrorCode } from "../../src/core/errors.ts";
import { errorCodeHeader, retryableHeader } from "../../src/http/errors.ts";

export interface AdminOptions {
  /** Of the server, without a path: `http://localhost:8787`. */
  readonly baseUrl: string;
  readonly fetch: (url: string, init: RequestInit) => Response | Promise<Response>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What sends an API key or a token along; nothing where there is none. */
export function keyHeaders(key: string | undefined): Readonly<Record<string, string>> {
  if (key === undefined) return {};
  return { authorization: `${key.startsWith("tk_") ? "Tecton-key" : "Bearer"} ${key.trim()}` };
}

export function query(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

export async function send(
  { baseUrl, fetch, headers }: AdminOptions,
  path: string,
  init: RequestInit & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  const ask = async () =>
    fetch(`${baseUrl}/admin/${path}`, { ...init, headers: { ...headers, ...init.headers } });
  let response: Response;
  try {
    // Once more: a server may have closed the connection as idle. Every admin call may be repeated.
    response = await ask().catch(ask);
  } catch (cause) {
    throw unreachable(cause);
  }
  if (!response.ok) throw await readError(response);
  return response;
}

async function readError(response: Response): Promise<FeatureError> {
  const body = await readBytes(response);
  const code = response.headers.get(errorCodeHeader);
  if (code === null) {
    // Not the app, but something on the way to it.
    return new FeatureError(
      "STORE_UNAVAILABLE",
      `Cannot call the server: it answered ${response.status} without saying why`,
      { retryable: response.status >= 500 },
    );
  }
  return new FeatureError(code as ErrorCode, messageOf(body), {
    retryable: response.headers.get(retryableHeader) === "true",
  });
}

function messageOf(body: Uint8Array): string {
  const { message } = parseJson(body) as { readonly message: string };
  return message;
}

export async function readAnswer(response: Response): Promise<unknown> {
  return parseJson(await readBytes(response));
}

/** Reads an answer that says nothing to its end, so that its connection is free again. */
export async function drain(response: Response): Promise<void> {
  await readBytes(response);
}

export async function readBytes(response: Response): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw unreachable(cause);
  }
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new FeatureError("STORE_UNAVAILABLE", "Cannot call the server: its answer is not JSON", {
      cause,
    });
  }
}

function unreachable(cause: unknown): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", "Cannot call the server: the call failed", {
    cause,
    retryable: true,
  });
}
