import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { readRows } from "../../adapters/engines/duckdb/read-rows.ts";
import type { PlacedRow } from "../../adapters/engines/duckdb/text-rows.ts";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import type { DevServer } from "../../scripts/cli/dev-server.ts";
import { acceptRows, emptyTally } from "../../scripts/cli/ingest-rows.ts";
import { loadFeatures, sourceNamed } from "../../scripts/cli/load-features.ts";
import { sendRequest } from "../../scripts/crash/send-request.ts";
import { generateEvents } from "../../scripts/demo/generate-events.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import type { RawRow } from "../../src/define/definition.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

const root = new URL("../..", import.meta.url).pathname;
const retail = join(root, "../shared/data/online-retail");
const featuresFile = join(root, "scripts/demo/features.ts");
const repository = await loadFeatures(featuresFile);
const source = sourceNamed(repository, "purchases");

const minuteMs = 60_000;
const endMs = Date.UTC(2011, 11, 1);
const seed = 20_111_201;
const rowsPerRequest = 300;
/** Longer than an older copy of a batch record may be met, so that the next compaction collects. */
const graceMs = 10 * minuteMs;
const customerCount = 40;
const productCount = 80;

/** Within the redelivery horizon, so that ids are remembered. */
const days = 6;

// The files are no part of the project: where they are not beside it, generated lines stand in.
const events = existsSync(retail)
  ? { name: "Online Retail", read: readRetail }
  : { name: "generated purchases", read: readGenerated };

function readGenerated(): Promise<PlacedRow[]> {
  const lines = generateEvents({ seed, lineCount: 5000, endMs, days });
  const rows = lines.map((line, i) => {
    return { row: { ...line }, place: { file: "generated", row: i + 1 }, problem: null };
  });
  return Promise.resolve(acceptRows(source, rows, emptyTally()));
}

async function readRetail(): Promise<PlacedRow[]> {
  const files = [25, 27, 28, 29, 30].map((day) => join(retail, `2011-11-${day}.csv`));
  const rows: PlacedRow[] = [];
  for await (const piece of readRows(files)) rows.push(...acceptRows(source, piece, emptyTally()));
  return rows;
}

/** The rows of the busiest customers, and of none, over the busiest products. */
function busiestRows(rows: readonly PlacedRow[]): PlacedRow[] {
  const customers = new Set(valuesOf(rows, "customer_id").slice(0, customerCount));
  const products = new Set(valuesOf(rows, "stock_code").slice(0, productCount));
  return rows.filter((row) => {
    const { customer_id, stock_code } = purchaseOf(row);
    return (customer_id === null || customers.has(customer_id)) && products.has(stock_code);
  });
}

/** The values of a column, the commonest first. */
function valuesOf(rows: readonly PlacedRow[], column: string): unknown[] {
  const counts = new Map<unknown, number>();
  for (const row of rows) {
    const value = purchaseOf(row)[column];
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  counts.delete(null);
  return [...counts].sort(([, a], [, b]) => b - a).map(([value]) => value);
}

function purchaseOf({ row, place }: PlacedRow): RawRow {
  return source.map?.(row, place) ?? row;
}

/** A server with an offline store of its own. */
interface Shop {
  readonly server: DevServer;
  readonly offline: DuckdbOfflineStore;
}

describe(`replaying ${events.name}`, () => {
  let directory: string;
  /** One that meets every event once, and one that meets all of them again and again. */
  let once: Shop;
  let replayed: Shop;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "tilemark-replay-"));
    once = await openShop(join(directory, "once"));
    replayed = await openShop(join(directory, "replayed"));
  });

  afterAll(async () => {
    for (const { server, offline } of [once, replayed]) {
      await server.close();
      await offline.close();
    }
    await rm(directory, { recursive: true, force: true });
  });

  test("the whole log three times, shuffled and grouped otherwise, changes no answer", async () => {
    const random = randomFrom(seed);
    const rows = busiestRows(await events.read());
    expect(rows.length).toBeGreaterThan(1000);
    const requests = requestsFor(rows);
    const expectSame = async (nowMs: number, moment: string) => {
      let presentCount = 0;
      for (const request of requests) {
        const [expected, actual] = await Promise.all(
          [once, replayed].map((shop) => ask(shop, request, nowMs)),
        );
        expect(actual, `${moment}, ${JSON.stringify(request)}, seed ${seed}`).toBe(expected);
        if (expected?.includes('"PRESENT"') === true) presentCount += 1;
      }
      expect(presentCount, "most are known").toBeGreaterThan(requests.length - 3);
    };
    const onBoth = (step: (shop: Shop) => Promise<unknown>) =>
      Promise.all([once, replayed].map(step));
    const replay = async (sent: readonly PlacedRow[], nowMs: number) => {
      const groups = groupRandomly(random.shuffled(sent), random);
      expect(await ingest(replayed, groups, nowMs)).toEqual({ taken: 0, repeated: sent.length });
    };
    const early = rows.slice(0, Math.floor(rows.length * 0.8));
    const late = rows.slice(early.length);

    await onBoth(async (shop) => {
      const counts = await ingest(shop, groupEvenly(early), endMs);
      expect(counts).toEqual({ taken: early.length, repeated: 0 });
    });
    await replay(early, endMs);
    await expectSame(endMs, "before any compaction");

    const compactedMs = endMs + minuteMs;
    await onBoth((shop) => compact(shop, compactedMs));
    await onBoth((shop) => ingest(shop, groupEvenly(late), compactedMs));
    await replay(rows, compactedMs);
    await expectSame(compactedMs, "after a compaction");

    const collectedMs = compactedMs + graceMs;
    await onBoth((shop) => compact(shop, collectedMs));
    await expectSame(collectedMs, "compacted and collected");
    await replay(rows, collectedMs);
    await expectSame(collectedMs, "after a collection");

    const lastMs = collectedMs + graceMs;
    await onBoth((shop) => compact(shop, lastMs));
    await expectSame(lastMs, "compacted once more");
  }, 180_000);
});

async function openShop(directory: string): Promise<Shop> {
  const server = await startDevServer({
    featuresFile,
    stateDirectory: join(directory, "state"),
    logShards: 2,
    testClock: true,
  });
  const offline = await openOfflineStore({
    directory: join(directory, "offline"),
    memoryBytesMax: 256_000_000,
  });
  return { server, offline };
}

function groupEvenly(rows: readonly PlacedRow[]): PlacedRow[][] {
  const groups: PlacedRow[][] = [];
  for (let i = 0; i < rows.length; i += rowsPerRequest)
    groups.push(rows.slice(i, i + rowsPerRequest));
  return groups;
}

function groupRandomly(rows: readonly PlacedRow[], random: Random): PlacedRow[][] {
  const groups: PlacedRow[][] = [];
  for (let i = 0; i < rows.length; i += groups.at(-1)?.length ?? 1) {
    groups.push(rows.slice(i, i + random.integer(1, 2 * rowsPerRequest)));
  }
  return groups;
}

/** How many rows the log took, and how many it had. */
async function ingest(
  { server }: Shop,
  groups: readonly (readonly PlacedRow[])[],
  nowMs: number,
): Promise<{ readonly taken: number; readonly repeated: number }> {
  let taken = 0;
  let repeated = 0;
  for (const group of groups) {
    const records = {
      [source.name]: group.map(({ row, place }) => ({
        record: row,
        ...(place !== null && { place }),
      })),
    };
    const body = { workspace_name: "prod", dry_run: false, records };
    const answer = await postJson(`${server.url}/ingest`, body, nowMs);
    const { ingestMetrics } = JSON.parse(answer) as IngestAnswer;
    const [counts] = ingestMetrics.dataSourceIngestMetrics;
    expect(counts.conflictingRecordCount).toBeUndefined();
    taken += Number(counts.offlineRecordIngestCount);
    repeated += Number(counts.duplicateRecordCount ?? 0);
  }
  return { taken, repeated };
}

interface IngestAnswer {
  readonly ingestMetrics: {
    readonly dataSourceIngestMetrics: readonly [
      {
        readonly offlineRecordIngestCount: string;
        readonly duplicateRecordCount?: string;
        readonly conflictingRecordCount?: string;
      },
    ];
  };
}

async function compact({ server, offline }: Shop, nowMs: number): Promise<void> {
  const api = httpCompactionApi({ baseUrl: server.url, fetch: sendRequest, headers: clock(nowMs) });
  await compactViews({ api, offline, repository });
}

interface FeaturesRequest {
  readonly featureServiceName: string;
  readonly joinKeyMap: Readonly<Record<string, unknown>>;
  readonly requestContextMap: Readonly<Record<string, unknown>>;
}

/** For every customer and every product there is, and for ones that nobody knows. */
function requestsFor(rows: readonly PlacedRow[]): FeaturesRequest[] {
  const countries = valuesOf(rows, "country");
  return [
    ...[...valuesOf(rows, "customer_id"), "unknown"].map((customer_id) => ({
      featureServiceName: "checkout",
      joinKeyMap: { customer_id },
      requestContextMap: { basket_amount: 12.5, basket_items: "3" },
    })),
    ...[...valuesOf(rows, "stock_code"), "unknown"].map((stock_code, i) => ({
      featureServiceName: "merchandising",
      joinKeyMap: { stock_code, country: countries[i % countries.length] },
      requestContextMap: {},
    })),
  ];
}

/** The answer's bytes. */
function ask({ server }: Shop, request: FeaturesRequest, nowMs: number): Promise<string> {
  const metadataOptions = {
    includeNames: true,
    includeEffectiveTimes: true,
    includeServingStatus: true,
  };
  const params = { workspaceName: "prod", ...request, metadataOptions };
  return postJson(`${server.url}/api/v1/feature-service/get-features`, { params }, nowMs);
}

async function postJson(url: string, body: unknown, nowMs: number): Promise<string> {
  const response = await sendRequest(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...clock(nowMs) },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  expect(response.status, `${text}, seed ${seed}`).toBe(200);
  return text;
}

function clock(nowMs: number): Record<string, string> {
  return { "x-tilemark-now": String(nowMs) };
}
