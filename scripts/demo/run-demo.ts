/** Starts the demo: a server, history backfilled and compacted, a day of events streamed in. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { httpCompactionApi } from "../../adapters/http-compaction-api.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { formatInstant } from "../../src/core/instant.ts";
import type { Repository, SourceDefinition } from "../../src/define/definition.ts";
import { startDevServer } from "../cli/dev-server.ts";
import { acceptRows, emptyTally, sendRows } from "../cli/ingest-rows.ts";
import type { IngestTally, PlacedRow } from "../cli/ingest-rows.ts";
import { loadFeatures, sourceNamed } from "../cli/load-features.ts";
import { count } from "../cli/progress.ts";
import { tallyText } from "../cli/tally-text.ts";
import { generatedEvents, givenEvents } from "./demo-events.ts";
import type { DemoEvents } from "./demo-events.ts";

export interface DemoOptions {
  /** Files of events in place of generated ones. */
  readonly eventsPath?: string;
  readonly stateDirectory: string;
  /** 0 for a free one. */
  readonly port: number;
  readonly print: (text: string) => void;
}

export interface Demo {
  readonly url: string;
  close(): Promise<void>;
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
export async function runDemo(options: DemoOptions): Promise<Demo> {
  const directory = join(
    options.stateDirectory,
    options.eventsPath === undefined ? "generated" : "given",
  );
  await mkdir(directory, { recursive: true });
  const known = await readState(directory, options.eventsPath ?? null);
  if (known !== null) {
    options.print(`Events were loaded before, into ${directory}`);
    return serve(options, directory, known);
  }
  return loadAndServe(options, directory);
}

async function loadAndServe(options: DemoOptions, directory: string): Promise<Demo> {
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
    const streamed = await readStream(offline, { source, events, tally });
    await backfillHistory(offline, { source, events, tally });
    const state = {
      eventsPath: options.eventsPath ?? null,
      clockOffsetMs: options.eventsPath === undefined ? 0 : tally.newestMs + 1 - startedMs,
      customer: busiestCustomer(source, streamed),
    };
    options.print(tallyText(tally));
    const demo = await startServer(options, directory, state);
    await streamAndCompact({ demo, repository, offline, source, streamed, options });
    await writeFile(join(directory, "demo.json"), JSON.stringify(state));
    printReady(options, demo, state);
    return demo;
  } finally {
    await offline.close();
  }
}

async function serve(options: DemoOptions, directory: string, state: DemoState): Promise<Demo> {
  const demo = await startServer(options, directory, state);
  printReady(options, demo, state);
  return demo;
}
