/** Calls to a running server, whose failures say which server and why. */

import { causeText } from "./error-text.ts";

/** The server that `url` names, without a slash at its end. @throws where it is no URL of HTTP. */
export function serverUrl(url: string): string {
  if (!/^https?:\/\/[^/]/i.test(url)) {
    throw new TypeError(`Cannot call server "${url}": it is no URL of HTTP, expected http://…`);
  }
  return url.replace(/\/+$/, "");
}

/** `fetch`, but for what it says when there is no answer. @throws when the server cannot be reached. */
export async function callServer(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    throw new Error(`Cannot reach ${url}: ${causeText(cause)}`, { cause });
  }
}

/** A POST of JSON. @throws as `callServer` does. */
export function postJson(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return callServer(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body, (_key, value: unknown) =>
      typeof value === "bigint" ? value.toString() : value,
    ),
  });
}
