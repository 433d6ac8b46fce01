/** The compaction's side of the admin routes: the same locally and in production. */

import { FeatureError } from "../src/core/errors.ts";
import type { ErrorCode } from "../src/core/errors.ts";
import type { CompactionApi, CompactionRun } from "../src/compact/compaction-api.ts";
import type { ClosedSource } from "../src/store/event-log.ts";
import {
  msgpackType,
  readDeletions,
  readLogPage,
  writeAppendRows,
  writePublish,
} from "../src/http/admin-codec.ts";
import { errorCodeHeader, retryableHeader } from "../src/http/errors.ts";

export interface HttpCompactionApiOptions {
  /** Of the server, without a path: `http://localhost:8787`. */
  readonly baseUrl: string;
  readonly fetch: (url: string, init: RequestInit) => Response | Promise<Response>;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Calls a server's admin routes. Errors come back as the FeatureErrors that were thrown there; a
 * server that cannot be reached is STORE_UNAVAILABLE.
 *
 * @example const api = httpCompactionApi({ baseUrl: "http://localhost:8787", fetch });
 */
export function httpCompactionApi(options: HttpCompactionApiOptions): CompactionApi {
  const post = (path: string, body: unknown) =>
    send(options, path, { method: "POST", body: JSON.stringify(body) });
  const postBytes = (path: string, body: Uint8Array<ArrayBuffer>) =>
    send(options, path, { method: "POST", body, headers: { "content-type": msgpackType } });
  return {
    start: async (request) =>
      (await readAnswer(await post("start", request))) as readonly CompactionRun[],
    now: async () => (await readAnswer(await send(options, "now"))) as number,
    shards: async (log) =>
      (await readAnswer(await send(options, `shards?${query({ log })}`))) as readonly string[],
    readLog: async ({ shard, afterSeq, epochMax }) => {
      const epoch = Math.min(epochMax, Number.MAX_SAFE_INTEGER);
      const path = `log?${query({ shard, afterSeq: String(afterSeq), epochMax: String(epoch) })}`;
      return readLogPage(await readBytes(await send(options, path)));
    },
    trimLog: async (request) => drain(await post("trim", request)),
    closeBefore: async (request) =>
      (await readAnswer(await post("close-before", request))) as ClosedSource,
    appendRows: async (request) => drain(await postBytes("append-rows", writeAppendRows(request))),
    deletions: async () => readDeletions(await readBytes(await send(options, "deletions"))),
    finishDeletions: async (names) => drain(await post("finish-deletions", { names })),
    erase: async (request) => drain(await post("erase", request)),
    publish: async (request) => drain(await postBytes("publish", writePublish(request))),
    finish: async (request) => drain(await post("finish", request)),
    collect: async (request) => drain(await post("collect", request)),
    finishCollect: async (request) => drain(await post("finish-collect", request)),
  };
}

function query(fields: Readonly<Record<string, string>>): string {
  return new URLSearchParams(fields).toString();
}

async function send(
  { baseUrl, fetch, headers }: HttpCompactionApiOptions,
  path: string,
  init: RequestInit & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`${baseUrl}/admin/${path}`, {
      ...init,
      headers: { ...headers, ...init.headers },
    });
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

async function readAnswer(response: Response): Promise<unknown> {
  return parseJson(await readBytes(response));
}

/** Reads an answer that says nothing to its end, so that its connection is free again. */
async function drain(response: Response): Promise<void> {
  await readBytes(response);
}

async function readBytes(response: Response): Promise<Uint8Array> {
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
