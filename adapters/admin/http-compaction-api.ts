/** The compaction's side of the admin routes: the same locally and in production. */

import type { CompactionApi, CompactionRun } from "../../src/compact/compaction-api.ts";
import type { ClosedSource } from "../../src/store/event-log.ts";
import {
  msgpackType,
  readDeletions,
  readLogPage,
  writeAppendRows,
  writePublish,
} from "../../src/http/admin-codec.ts";
import { drain, query, readAnswer, readBytes, send } from "./call-admin.ts";
import type { AdminOptions } from "./call-admin.ts";

/**
 * Calls a server's admin routes. Errors come back as the FeatureErrors that were thrown there; a
 * server that cannot be reached is STORE_UNAVAILABLE.
 *
 * @example const api = httpCompactionApi({ baseUrl: "http://localhost:8787", fetch });
 */
export function httpCompactionApi(options: AdminOptions): CompactionApi {
  const post = (path: string, body: unknown) =>
    send(options, path, { method: "POST", body: JSON.stringify(body) });
  const postBytes = (path: string, body: Uint8Array<ArrayBuffer>) =>
    send(options, path, { method: "POST", body, headers: { "content-type": msgpackType } });
  return {
    start: async (request) =>
      (await readAnswer(await post("start", request))) as readonly CompactionRun[],
    now: async () => (await readAnswer(await send(options, "now"))) as number,
    home: async () => (await readAnswer(await send(options, "home"))) as string | null,
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
