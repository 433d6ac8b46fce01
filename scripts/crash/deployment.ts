/** A server and an offline store in one directory, driven by the clock of its requests. */

import { cp } from "node:fs/promises";
import { join } from "node:path";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import type { CompactionApi } from "../../src/compact/compaction-api.ts";
import { assert } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { startCrashServer } from "./crash-server.ts";
import type { CrashServer } from "./crash-server.ts";
import { compactOnce, viewNames } from "./compact-once.ts";
import { events } from "./features.ts";
import { sendRequest } from "./send-request.ts";
import type { Clients, EventRequest } from "./workload.ts";

export interface SentRequests {
  readonly acknowledged: readonly EventRequest[];
  readonly failed: readonly EventRequest[];
}

export class Deployment {
  readonly directory: string;
  readonly #script: string;
  #server: CrashServer | null = null;

  /** `script` is the worker's, of `bundleCrashWorker`. Nothing runs yet. */
  constructor(directory: string, script: string) {
    this.directory = directory;
    this.#script = script;
  }

  get offlineDirectory(): string {
    return join(this.directory, "offline");
  }

  get server(): CrashServer {
    if (this.#server === null) throw new Error("Cannot call the server: it is not running");
    return this.#server;
  }

  async start(nowMs: number): Promise<void> {
    const stateDirectory = join(this.directory, "state");
    this.#server = await startCrashServer({ script: this.#script, stateDirectory, nowMs });
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    await server?.kill();
  }

  /** All that is on disk, while nothing runs. */
  async copyTo(directory: string): Promise<Deployment> {
    await cp(this.directory, directory, { recursive: true });
    return new Deployment(directory, this.#script);
  }

  /** @throws where a request is not acknowledged. */
  async ingest(clients: Clients, nowMs: number): Promise<void> {
    const { failed } = await this.ingestUntilKilled(clients, nowMs);
    if (failed.length > 0) throw new Error(`Cannot ingest: ${failed.length} requests failed`);
  }

  /** A client whose request fails sends no more. @throws for an answer that is no acknowledgement. */
  async ingestUntilKilled(clients: Clients, nowMs: number): Promise<SentRequests> {
    // A client goes on for a moment after the server was killed.
    const { url } = this.server;
    const acknowledged: EventRequest[] = [];
    const send = async (requests: readonly EventRequest[]) => {
      for (const request of requests) {
        if (!(await post(url, request, nowMs))) return;
        acknowledged.push(request);
      }
    };
    await Promise.all(clients.map(send));
    const failed = clients.flat().filter((request) => !acknowledged.includes(request));
    return { acknowledged, failed };
  }

  /** All views where none are named. @throws FeatureError as `compactViews` does. */
  async compact(nowMs: number, views: readonly string[] = viewNames): Promise<void> {
    await compactOnce({ api: this.api(nowMs), directory: this.offlineDirectory, views });
  }

  /** The log's rows that no compaction has drained: for each shard the ids in it. */
  async loggedIds(nowMs: number): Promise<readonly string[][]> {
    const api = this.api(nowMs);
    const shards = await api.shards(events.log);
    return Promise.all(
      shards.map(async (shard) => {
        const page = await api.readLog({ shard, afterSeq: 0, epochMax: Infinity });
        assert(page.length < limits.logPageRowsMax, "the log of the workload is one page");
        return page.map(({ id }) => id);
      }),
    );
  }

  api(nowMs: number): CompactionApi {
    const headers = { "x-tilemark-now": String(nowMs) };
    return httpCompactionApi({ baseUrl: this.server.url, fetch: sendRequest, headers });
  }
}

/** False where the server died under it. @throws for an answer that is no acknowledgement. */
async function post(url: string, request: EventRequest, nowMs: number): Promise<boolean> {
  const records = { events: request.map((record) => ({ record })) };
  const init = {
    method: "POST",
    headers: { "content-type": "application/json", "x-tilemark-now": String(nowMs) },
    body: JSON.stringify({ workspace_name: "prod", dry_run: false, records }),
  };
  let response: Response;
  let text: string;
  try {
    response = await sendRequest(`${url}/ingest`, init);
    text = await response.text();
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
  if (response.ok) return true;
  throw new Error(`Cannot ingest: the server answered ${response.status} ${text}`);
}
