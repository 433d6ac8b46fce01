/** Talks to a server of the suite over HTTP, and compacts it from this process. */

import { expect } from "vitest";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { sendRequest } from "../../scripts/crash/send-request.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { loadRepository } from "../../src/define/load-repository.ts";
import * as definitions from "./features.ts";
import { nowMs } from "./purchases.ts";
import type { Features, Purchase } from "./purchases.ts";

export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface ServingClientOptions {
  readonly offline: DuckdbOfflineStore;
  /** Whether requests carry the instant of the suite. */
  readonly hasTestClock: boolean;
}

interface FeaturesBody {
  readonly result: { readonly features: readonly unknown[] };
  readonly metadata: { readonly features: readonly { readonly name: string }[] };
}

interface BatchBody {
  readonly result: readonly { readonly features: readonly unknown[] }[];
  readonly metadata: FeaturesBody["metadata"];
}

const repository = loadRepository(definitions);
const servingPath = "/api/v1/feature-service";

/** The amount of the request in every call of `ask`. */
export const requestAmount = 8;

export class ServingClient {
  readonly #url: string;
  readonly #offline: DuckdbOfflineStore;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, options: ServingClientOptions) {
    this.#url = url;
    this.#offline = options.offline;
    this.#headers = options.hasTestClock ? { "x-tilemark-now": String(nowMs) } : {};
  }

  /** Strings are sent as they are, anything else as JSON. */
  async send(
    path: string,
    body: unknown,
    { method = "POST", headers = this.#headers }: RequestParts = {},
  ): Promise<HttpAnswer> {
    const response = await sendRequest(this.#url + path, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(method === "POST" && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as unknown };
  }

  ingest(purchases: readonly Purchase[], fields: object = {}): Promise<HttpAnswer> {
    const records = purchases.map(({ tsMs, ...rest }) => ({
      record: { ...rest, ts: new Date(tsMs).toISOString(), ...fields },
    }));
    const body = { workspace_name: "prod", dry_run: false, records: { purchases: records } };
    return this.send("/ingest", body);
  }

  /** How many of the purchases were new, and how many the log had. */
  async accept(purchases: readonly Purchase[]): Promise<readonly [number, number]> {
    const { status, body } = await this.ingest(purchases);
    expect(status, JSON.stringify(body)).toBe(200);
    const [counts] = (body as IngestBody).ingestMetrics.dataSourceIngestMetrics;
    return [Number(counts.offlineRecordIngestCount), Number(counts.duplicateRecordCount ?? 0)];
  }

  /** A customer's features by name. */
  async ask(customer_id: string): Promise<Features> {
    const { status, body } = await this.send(`${servingPath}/get-features`, {
      params: { ...questionOf(customer_id), ...asked },
    });
    expect(status, JSON.stringify(body)).toBe(200);
    const { result, metadata } = body as FeaturesBody;
    return byName(metadata, result);
  }

  async askBatch(customerIds: readonly string[]): Promise<readonly Features[]> {
    const { status, body } = await this.send(`${servingPath}/get-features-batch`, {
      params: { requestData: customerIds.map(questionOf), ...asked },
    });
    expect(status, JSON.stringify(body)).toBe(200);
    const { result, metadata } = body as BatchBody;
    return result.map((row) => byName(metadata, row));
  }

  /** How many entities the compaction found events of. */
  async compact(): Promise<number> {
    const api = httpCompactionApi({
      baseUrl: this.#url,
      fetch: sendRequest,
      headers: this.#headers,
    });
    const [summary] = await compactViews({ api, offline: this.#offline, repository });
    return summary?.keys ?? 0;
  }
}

interface RequestParts {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
}

interface IngestBody {
  readonly ingestMetrics: {
    readonly dataSourceIngestMetrics: readonly [
      { readonly offlineRecordIngestCount: string; readonly duplicateRecordCount?: string },
    ];
  };
}

const asked = { featureServiceName: "checkout", metadataOptions: { includeNames: true } };

function questionOf(customer_id: string): object {
  return { joinKeyMap: { customer_id }, requestContextMap: { amount: requestAmount } };
}

function byName(
  { features }: FeaturesBody["metadata"],
  row: { readonly features: readonly unknown[] },
): Features {
  return Object.fromEntries(features.map(({ name }, i) => [name, row.features[i]]));
}
