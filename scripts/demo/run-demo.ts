/** Starts the demo: a server, history backfilled and compacted, a day of events streamed in. */

import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { readRows } from "../../adapters/engines/duckdb/read-rows.ts";
import type { PlacedRow } from "../../adapters/engines/duckdb/text-rows.ts";
import { keyHeaders } from "../../adapters/admin/call-admin.ts";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { formatInstant } from "../../src/core/instant.ts";
import type { Repository, SourceDefinition } from "../../src/define/definition.ts";
import { startDevServer } from "../cli/dev-server.ts";
import type { DevServer } from "../cli/dev-server.ts";
import { acceptRows, emptyTally, sendRows } from "../cli/ingest-rows.ts";
import type { IngestTally } from "../cli/ingest-rows.ts";
import { loadFeatures, sourceNamed } from "../cli/load-features.ts";
import { count } from "../cli/progress.ts";
import { tallyText } from "../cli/tally-text.ts";
import { generatedEvents, givenEvents } from "./demo-events.ts";
import type { DemoEvents } from "./demo-events.ts";

export interface DemoOptions {
  /** Files of events in place of generated ones. */
  readonly eventsPath?: string;
  readonly stateDirectory: string;
  /** Sent with requests, and shown; left out, the server needs none. */
  readonly adminKey?: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly print: (text: string) => void;
}

/** What a state directory remembers of its first start, so that the next one goes on from it. */
interface DemoState {
  readonly eventsPath: string | null;
  /** Added to this machine's clock. */
  readonly clockOffsetMs: number;
  readonly customer: string;
}

const featuresFile = new URL("features.ts", import.meta.url).pathname;
const memoryBytesMax = 512 * 2 ** 20;

/** Resolves when the curl line has been printed: it answers from then on. */
export async function runDemo(options: DemoOptions): Promise<DevServer> {
  const directory = join(
    options.stateDirectory,
    options.eventsPath === undefined ? "generated" : "given",
  );
  const known = await readState(directory, options.eventsPath ?? null);
  if (known !== null) {
    options.print(`Events were loaded before, into ${directory}`);
    return serve(options, directory, known);
  }
  // What a start that did not finish left behind is of no use.
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  return loadAndServe(options, directory);
}

async function loadAndServe(options: DemoOptions, directory: string): Promise<DevServer> {
  const repository = await loadFeatures(featuresFile);
  const source = sourceNamed(repository, "purchases");
  const offline = await openOfflineStore({ directory: join(directory, "offline"), memoryBytesMax });
  try {
    const startedMs = Date.now();
    const events =
      options.eventsPath === undefined
        ? await generatedEvents(join(directory, "events"), startedMs)
        : await givenEvents(options.eventsPath);
    const tally = emptyTally();
    const streamed = await readStream({ source, events, tally });
    await backfillHistory(offline, { source, events, tally });
    const state = {
      eventsPath: options.eventsPath ?? null,
      clockOffsetMs: options.eventsPath === undefined ? 0 : tally.newestMs + 1 - startedMs,
      customer: busiestCustomer(source, streamed),
    };
    const demo = await startServer(options, directory, state);
    await streamAndCompact({ demo, repository, offline, source, streamed, options, tally });
    options.print(tallyText(tally));
    await writeFile(join(directory, "demo.json"), JSON.stringify(state));
    printReady(options, demo, state);
    return demo;
  } finally {
    await offline.close();
  }
}

async function serve(
  options: DemoOptions,
  directory: string,
  state: DemoState,
): Promise<DevServer> {
  const demo = await startServer(options, directory, state);
  printReady(options, demo, state);
  return demo;
}

async function readState(directory: string, eventsPath: string | null): Promise<DemoState | null> {
  let text: string;
  try {
    text = await readFile(join(directory, "demo.json"), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
  const state = JSON.parse(text) as DemoState;
  if (state.eventsPath === eventsPath) return state;
  throw new Error(
    `Cannot load events from ${eventsPath ?? "the generator"}: "${directory}" holds those of ${state.eventsPath ?? "the generator"}, use another --state or delete it`,
  );
}

interface LoadParts {
  readonly source: SourceDefinition;
  readonly events: DemoEvents;
  readonly tally: IngestTally;
}

/** The rows that will stream in; what the source refuses is counted. */
async function readStream({ source, events, tally }: LoadParts): Promise<PlacedRow[]> {
  const streamed: PlacedRow[] = [];
  for await (const rows of readRows(events.streamFiles)) {
    streamed.push(...acceptRows(source, rows, tally));
  }
  return streamed;
}

async function backfillHistory(
  offline: DuckdbOfflineStore,
  { source, events, tally }: LoadParts,
): Promise<void> {
  if (events.historyFiles.length === 0) return;
  const summary = await offline.load(source, events.historyFiles);
  tally.read += summary.read;
  tally.loaded += summary.loaded;
  for (const [reason, rows] of summary.skipped) {
    tally.skipped.set(reason, (tally.skipped.get(reason) ?? 0) + rows);
  }
}

async function startServer(
  options: DemoOptions,
  directory: string,
  { clockOffsetMs }: DemoState,
): Promise<DevServer> {
  return startDevServer({
    featuresFile,
    stateDirectory: join(directory, "state"),
    port: options.port,
    clockOffsetMs,
    ...(options.adminKey !== undefined && { adminKey: options.adminKey }),
  });
}

/** Half of the day streams in before the compaction and half after: answers join both. */
async function streamAndCompact(parts: {
  readonly demo: DevServer;
  readonly repository: Repository;
  readonly offline: DuckdbOfflineStore;
  readonly source: SourceDefinition;
  readonly streamed: readonly PlacedRow[];
  readonly options: DemoOptions;
  readonly tally: IngestTally;
}): Promise<void> {
  const { demo, repository, offline, source, streamed, options, tally } = parts;
  const headers = keyHeaders(options.adminKey);
  const target = { url: demo.url, workspace: "prod", headers, source };
  const half = Math.floor(streamed.length / 2);
  const takenBefore = await sendRows(target, streamed.slice(0, half), tally);
  const api = httpCompactionApi({ baseUrl: demo.url, fetch, headers });
  for (const { view, rows, keys, bytes } of await compactViews({ api, offline, repository })) {
    options.print(
      `compacted ${view}: ${count(rows)} rows, ${count(keys)} keys, ${count(bytes)} bytes`,
    );
  }
  const takenAfter = await sendRows(target, streamed.slice(half), tally);
  options.print(
    `streamed ${count(takenBefore + takenAfter)} events, half of them since the compaction`,
  );
}

/** The customer of the most rows: one whose features have something to show. */
function busiestCustomer(source: SourceDefinition, rows: readonly PlacedRow[]): string {
  const counts = new Map<string, number>();
  for (const { row, place } of rows) {
    const customer = source.map?.(row, place)["customer_id"];
    if (typeof customer === "string") counts.set(customer, (counts.get(customer) ?? 0) + 1);
  }
  const [busiest] = [...counts].sort(([, a], [, b]) => b - a);
  if (busiest === undefined) throw new Error("Cannot show a request: no event has a customer");
  return busiest[0];
}

function printReady({ print, adminKey }: DemoOptions, demo: DevServer, state: DemoState): void {
  if (state.clockOffsetMs !== 0) {
    const nowMs = Date.now() + state.clockOffsetMs;
    print(
      `The events are old, so the server's clock stands just past the newest one: ${formatInstant(nowMs)}`,
    );
  }
  const params = {
    workspaceName: "prod",
    featureServiceName: "checkout",
    joinKeyMap: { customer_id: state.customer },
    requestContextMap: { basket_amount: 99.5, basket_items: "3" },
    metadataOptions: { includeNames: true },
  };
  const authorization = adminKey === undefined ? "" : ` -H 'Authorization: Tecton-key ${adminKey}'`;
  print(`Listening on ${demo.url}. Ask for features:`);
  print(
    `curl -s ${demo.url}/api/v1/feature-service/get-features${authorization} -d '${JSON.stringify({ params })}'\n`,
  );
}
