/**
 * A compactor as a process of its own. Its argument is a `CompactorRequest`; it prints a line when
 * its modules are loaded, waits for one on its input before it goes on, and ends with its outcome.
 */

import { setTimeout } from "node:timers/promises";
import { createInterface } from "node:readline";
import { ReadableStream } from "node:stream/web";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { compactOnce, viewNames } from "../../scripts/crash/compact-once.ts";
import { sendRequest } from "../../scripts/crash/send-request.ts";
import { FeatureError } from "../../src/core/errors.ts";
import type { CompactorOutcome, CompactorRequest } from "./compactor-process.ts";

const request = JSON.parse(process.argv[2] ?? "") as CompactorRequest;
const input = createInterface({ input: process.stdin });
const lines = input[Symbol.asyncIterator]();
let publishCount = 0;

await pause();
print(JSON.stringify(await compact()));
input.close();

async function pause(): Promise<void> {
  print("waiting");
  await lines.next();
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function compact(): Promise<CompactorOutcome> {
  const { url: baseUrl, directory, nowMs } = request;
  const headers = { "x-tilemark-now": String(nowMs) };
  const api = httpCompactionApi({ baseUrl, fetch: send, headers });
  try {
    await compactOnce({ api, directory, views: viewNames });
    return { code: "FINISHED" };
  } catch (error) {
    if (error instanceof FeatureError) return { code: error.code, message: error.message };
    throw error;
  }
}

function send(url: string, init: RequestInit): Promise<Response> {
  if (!url.endsWith("/publish") || ++publishCount !== request.pauseInPublish)
    return sendRequest(url, init);
  const body = ReadableStream.from(halves(init.body as Uint8Array));
  return fetch(url, { ...init, body, duplex: "half" } as RequestInit);
}

/** Pauses when the server has the first half of the request. */
async function* halves(body: Uint8Array): AsyncGenerator<Uint8Array> {
  const middle = body.length >>> 1;
  yield body.subarray(0, middle);
  await setTimeout(100);
  await pause();
  yield body.subarray(middle);
}
