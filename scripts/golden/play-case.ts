/** Plays one golden case against a running server: HTTP, ingest, compaction and store for real. */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import type { DuckdbOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import type { Repository, SourceDefinition } from "../../src/define/definition.ts";
import { readEvent } from "../../src/define/read-event.ts";
import type {
  ArrivalsCase,
  GoldenCase,
  GoldenEvent,
  GoldenQuery,
  WindowsCase,
} from "./golden-file.ts";

export interface GoldenPlay {
  readonly name: string;
  readonly url: string;
  readonly repository: Repository;
  readonly offline: DuckdbOfflineStore;
  readonly directory: string;
  readonly onAnswer: (query: GoldenQuery, answers: Record<string, unknown>) => void;
}

export async function playCase(play: GoldenPlay, golden: GoldenCase): Promise<void> {
  if ("ops" in golden) await playArrivals(play, golden);
  else await playWindows(play, golden);
}

async function playWindows(play: GoldenPlay, golden: WindowsCase): Promise<void> {
  const { view, events, watermark, compact_at: compactAt } = golden;
  const isHistory = (event: GoldenEvent) => view.kind === "batch" || event.ts < watermark;
  await backfill(play, events.filter(isHistory));
  await compact(play, compactAt, watermark);
  const rest = events.filter((event) => !isHistory(event));
  if (rest.length > 0) await ingest(play, compactAt, rest);
  for (const query of golden.queries) await ask(play, golden, query);
}

async function playArrivals(play: GoldenPlay, golden: ArrivalsCase): Promise<void> {
  for (const operation of golden.ops) {
    if (operation.op === "ingest") await ingest(play, operation.at, operation.events);
    else if (operation.op === "compact") await compact(play, operation.at, operation.watermark);
    else if (operation.op === "query") await ask(play, golden, operation);
    else {
      const source = sourceOf(play);
      const event = operation.event === null ? null : eventOf(source, operation.event);
      await play.offline.putCorrections(source, [{ id: operation.id, event }]);
    }
  }
}

async function backfill(play: GoldenPlay, events: readonly GoldenEvent[]): Promise<void> {
  if (events.length === 0) return;
  const file = join(play.directory, `${play.name}.jsonl`);
  await writeFile(file, events.map((event) => `${toJson(event)}\n`).join(""));
  const summary = await play.offline.load(sourceOf(play), [file]);
  if (summary.loaded !== events.length) {
    throw new Error(`Cannot load ${play.name}: ${summary.loaded} of ${events.length} rows loaded`);
  }
}

async function compact(play: GoldenPlay, atMs: number, watermarkMs: number): Promise<void> {
  const api = httpCompactionApi({ baseUrl: play.url, fetch, headers: clockHeader(atMs) });
  const { offline, repository } = play;
  await compactViews({ api, offline, repository }, { views: [play.name], watermarkMs });
}

async function ingest(
  play: GoldenPlay,
  atMs: number,
  events: readonly GoldenEvent[],
): Promise<void> {
  const records = { [sourceOf(play).name]: events.map((record) => ({ record })) };
  await post(play, "/ingest", { atMs, body: { workspace_name: "prod", dry_run: false, records } });
}

async function ask(play: GoldenPlay, golden: GoldenCase, query: GoldenQuery): Promise<void> {
  const joinKeyMap = Object.fromEntries(golden.view.entities.map((key) => [key, query[key]]));
  const params = {
    workspaceName: "prod",
    featureServiceName: `${play.name}_service`,
    joinKeyMap,
    metadataOptions: { includeNames: true },
  };
  const path = "/api/v1/feature-service/get-features";
  const answer = (await post(play, path, { atMs: query.at, body: { params } })) as {
    readonly result: { readonly features: readonly unknown[] };
    readonly metadata: { readonly features: readonly { readonly name: string }[] };
  };
  const answers = answer.metadata.features.map(({ name }, i) => [
    name.slice(name.indexOf(".") + 1),
    answer.result.features[i],
  ]);
  play.onAnswer(query, Object.fromEntries(answers) as Record<string, unknown>);
}

async function post(
  play: GoldenPlay,
  path: string,
  { atMs, body }: { readonly atMs: number; readonly body: unknown },
): Promise<unknown> {
  const response = await fetch(`${play.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...clockHeader(atMs) },
    body: toJson(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Cannot play ${play.name}: ${path} answered ${text}`);
  return JSON.parse(text);
}

function clockHeader(atMs: number): Record<string, string> {
  return { "x-tilemark-now": String(atMs) };
}

function sourceOf(play: GoldenPlay): SourceDefinition {
  return play.repository.sources.get(`${play.name}_source`) as SourceDefinition;
}

function eventOf(source: SourceDefinition, row: GoldenEvent) {
  const result = readEvent(source, row, null);
  if (result.kind === "filtered") throw new Error("Cannot read a golden event: it was filtered");
  return result.event;
}

/** JSON with int64s past 2^53 as decimal strings, as the wire takes them. */
function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "bigint" ? item.toString() : item,
  );
}
