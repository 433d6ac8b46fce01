/** A server for benches, in workerd, on state of its own that goes when it closes. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import type { Repository, SourceDefinition } from "../../src/define/definition.ts";
import { bundleEntry } from "../cli/bundle-worker.ts";
import { startDevServer } from "../cli/dev-server.ts";
import type { DevServer } from "../cli/dev-server.ts";
import { loadFeatures } from "../cli/load-features.ts";

export type BenchRow = Readonly<Record<string, string | number>>;

const memoryBytesMax = 1024 ** 3;
const rowsPerRequest = 1000;
const rowsPerFile = 250_000;

export interface BenchServerOptions {
  readonly featuresFile: string;
  /** A module that is served in the place of the feature file's own worker. */
  readonly entryFile?: string;
  readonly bindings?: Readonly<Record<string, string>>;
}

export class BenchServer {
  readonly repository: Repository;
  readonly offline: DuckdbOfflineStore;
  readonly #server: DevServer;
  readonly #directory: string;

  private constructor(parts: {
    readonly repository: Repository;
    readonly offline: DuckdbOfflineStore;
    readonly server: DevServer;
    readonly directory: string;
  }) {
    this.repository = parts.repository;
    this.offline = parts.offline;
    this.#server = parts.server;
    this.#directory = parts.directory;
  }

  static async start(options: BenchServerOptions): Promise<BenchServer> {
    const directory = await mkdtemp(join(tmpdir(), "tilemark-bench-"));
    const repository = await loadFeatures(options.featuresFile);
    const offline = await openOfflineStore({
      directory: join(directory, "offline"),
      memoryBytesMax,
    });
    const { entryFile } = options;
    const script =
      entryFile === undefined
        ? {}
        : {
            script: await bundleEntry(`export * from ${JSON.stringify(entryFile)};
export { default } from ${JSON.stringify(entryFile)};`),
          };
    const server = await startDevServer({
      featuresFile: options.featuresFile,
      stateDirectory: join(directory, "state"),
      testClock: true,
      bindings: options.bindings ?? {},
      ...script,
    });
    return new BenchServer({ repository, offline, server, directory });
  }

  get url(): string {
    return this.#server.url;
  }

  async backfill(source: string, rows: Iterable<BenchRow>): Promise<void> {
    let lines: string[] = [];
    let file = 0;
    const flush = async () => {
      if (lines.length === 0) return;
      const path = join(this.#directory, `rows-${file++}.jsonl`);
      await writeFile(path, lines.join("\n"));
      lines = [];
      await this.offline.load(this.#source(source), [path]);
    };
    for (const row of rows) {
      lines.push(JSON.stringify(row));
      if (lines.length === rowsPerFile) await flush();
    }
    await flush();
  }

  async compact(atMs: number): Promise<void> {
    const headers = { "x-tilemark-now": String(atMs) };
    const api = httpCompactionApi({ baseUrl: this.url, fetch, headers });
    await compactViews({ api, offline: this.offline, repository: this.repository });
  }

  /** Sends events as they would have come, a request's clock standing at its newest one. */
  async ingest(
    source: string,
    rows: readonly (BenchRow & { readonly ts: number })[],
  ): Promise<void> {
    for (let i = 0; i < rows.length; i += rowsPerRequest) {
      const batch = rows.slice(i, i + rowsPerRequest);
      const nowMs = Math.max(...batch.map(({ ts }) => ts)) + 1;
      const records = { [source]: batch.map((record) => ({ record })) };
      const response = await fetch(`${this.url}/ingest`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-tilemark-now": String(nowMs) },
        body: JSON.stringify({ workspace_name: "prod", dry_run: false, records }),
      });
      if (!response.ok) throw new Error(`Cannot ingest: ${await response.text()}`);
      await response.arrayBuffer();
    }
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.offline.close();
    await rm(this.#directory, { recursive: true, force: true });
  }

  #source(name: string): SourceDefinition {
    return this.repository.sources.get(name) as SourceDefinition;
  }
}

/** The body of a request for features. */
export function featuresBody(
  service: string,
  joinKeyMap: Readonly<Record<string, string>>,
): string {
  return JSON.stringify({
    params: { workspaceName: "prod", featureServiceName: service, joinKeyMap },
  });
}
