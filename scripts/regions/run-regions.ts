/**
 * A home and two regions that follow it, each a process with a store of its own, under load; one of
 * them is cut off for a time and healed. Every answer is checked against what was acknowledged.
 */

import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { httpCompactionApi } from "../../adapters/admin/http-compaction-api.ts";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { loadRepository } from "../../src/define/load-repository.ts";
import { checkRead } from "./check-read.ts";
import type { RegionAnswer, SentEvent } from "./check-read.ts";
import { startCuttableProxy } from "./cuttable-proxy.ts";
import * as features from "./features.ts";
import { startRegion } from "./start-region.ts";
import type { RegionProcess } from "./start-region.ts";

export interface RegionsOptions {
  /** For the stores of all three. */
  readonly directory: string;
  readonly cutMs: number;
  readonly onPhase?: (phase: string) => void;
}

export interface RegionReport {
  readonly name: string;
  reads: number;
  /** Requests that were not answered with a 200. */
  failed: number;
  wrong: number;
  /** Answers without a number, which say why. */
  gaps: number;
  /** Answers that said that they are stale, and how long after the cut the first of them came. */
  stale: number;
  staleAfterMs: number | null;
  /** What was wrong first. */
  firstWrong: string | null;
}

export interface RegionsReport {
  readonly regions: readonly RegionReport[];
  readonly eventCount: number;
  readonly compactions: number;
  /** From the healing to the first answer of the region that was cut off that is not stale. */
  readonly caughtUpMs: number | null;
}

const userCount = 40;
const eventPauseMs = 10;
const readPauseMs = 20;
const compactionPauseMs = 8_000;
const warmUpMs = 4_000;
const afterMs = 12_000;
/** A region that is cut off may go on for so long before it says that it is stale. */
const silentMsMax = 16_000;

export async function runRegions(options: RegionsOptions): Promise<RegionsReport> {
  const { directory, cutMs, onPhase } = options;
  const home = await startRegion(join(directory, "home"));
  const cable = await startCuttableProxy(home.port);
  const regions = [
    home,
    await startRegion(join(directory, "near"), home.url),
    await startRegion(join(directory, "far"), cable.url),
  ];
  const load = new Load(regions, join(directory, "offline"));
  const end = new AbortController();
  const loads = load.run(end.signal);
  // The load goes on all the time: where it ends, it has failed.
  const goOn = (durationMs: number) => Promise.race([setTimeout(durationMs), loads]);
  try {
    onPhase?.("under load");
    await goOn(warmUpMs);
    onPhase?.(`one region is cut off for ${cutMs} ms`);
    cable.cut();
    load.cutAtMs = Date.now();
    await goOn(cutMs);
    cable.heal();
    load.healedAtMs = Date.now();
    onPhase?.("healed");
    await goOn(afterMs);
  } finally {
    end.abort();
    await loads;
    cable.close();
    await Promise.all(regions.map((region) => region.stop()));
  }
  const { reports, eventCount, compactions, caughtUpMs } = load;
  return { regions: reports, eventCount, compactions, caughtUpMs };
}

class Load {
  readonly #regions: readonly RegionProcess[];
  readonly #offlineDirectory: string;
  readonly #events = new Map<string, SentEvent[]>();
  readonly reports: readonly RegionReport[];
  eventCount = 0;
  compactions = 0;
  cutAtMs = Infinity;
  healedAtMs = Infinity;
  caughtUpMs: number | null = null;

  constructor(regions: readonly RegionProcess[], offlineDirectory: string) {
    this.#regions = regions;
    this.#offlineDirectory = offlineDirectory;
    this.reports = ["home", "near", "far"].map((name) => ({
      name,
      reads: 0,
      failed: 0,
      wrong: 0,
      gaps: 0,
      stale: 0,
      staleAfterMs: null,
      firstWrong: null,
    }));
  }

  /** Resolves once the signal is aborted and everything under way is done. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#repeat(signal, eventPauseMs, () => this.#ingest()),
      this.#compact(signal),
      ...this.#regions.map((region, i) =>
        this.#repeat(signal, readPauseMs, () =>
          this.#read(region, this.reports[i] as RegionReport),
        ),
      ),
    ]);
  }

  async #repeat(signal: AbortSignal, pauseMs: number, body: () => Promise<void>): Promise<void> {
    while (!signal.aborted) {
      await body();
      await setTimeout(pauseMs);
    }
  }

  /** Now and then late: by event time alone, so no window forgets it. */
  async #ingest(): Promise<void> {
    const event = { id: `e${(this.eventCount += 1)}`, ackedAtMs: Infinity };
    const user = `u${this.eventCount % userCount}`;
    this.#eventsOf(user).push(event);
    const lateMs = this.eventCount % 7 === 0 ? 600_000 : 0;
    const ts = new Date(Date.now() - 1 - lateMs).toISOString();
    const record = { user_id: user, id: event.id, ts };
    const [home] = this.#regions;
    const response = await fetch(`${home?.url}/ingest`, {
      method: "POST",
      body: JSON.stringify({
        workspace_name: "prod",
        dry_run: false,
        records: { clicks: [{ record }] },
      }),
    });
    if (!response.ok) throw new Error(`Cannot ingest: ${await response.text()}`);
    await response.arrayBuffer();
    event.ackedAtMs = Date.now();
  }

  async #compact(signal: AbortSignal): Promise<void> {
    const [home] = this.#regions;
    const repository = loadRepository(features);
    const api = httpCompactionApi({ baseUrl: home?.url ?? "", fetch });
    const offline = await openOfflineStore({
      directory: this.#offlineDirectory,
      memoryBytesMax: 256_000_000,
      threads: 1,
    });
    try {
      await this.#repeat(signal, 0, async () => {
        await compactViews({ api, offline, repository });
        this.compactions += 1;
        await Promise.race([setTimeout(compactionPauseMs), once(signal, "abort")]);
      });
    } finally {
      await offline.close();
    }
  }

  async #read({ url }: RegionProcess, report: RegionReport): Promise<void> {
    const user = `u${report.reads % userCount}`;
    const askedAtMs = Date.now();
    report.reads += 1;
    let answer: RegionAnswer;
    try {
      const response = await fetch(`${url}/api/v1/feature-service/get-features`, {
        method: "POST",
        body: requestFor(user),
        signal: AbortSignal.timeout(5_000),
      });
      if (!response.ok) throw new Error(`It answered ${response.status}`);
      answer = (await response.json()) as RegionAnswer;
    } catch {
      report.failed += 1;
      return;
    }
    this.#judge(report, answer, { user, askedAtMs });
  }

  #judge(
    report: RegionReport,
    answer: RegionAnswer,
    { user, askedAtMs }: { readonly user: string; readonly askedAtMs: number },
  ): void {
    const { isStale, isGap, wrong } = checkRead(answer, this.#eventsOf(user), askedAtMs);
    if (isGap) report.gaps += 1;
    if (isStale) {
      report.stale += 1;
      report.staleAfterMs ??= askedAtMs - this.cutAtMs;
    }
    if (report.name === "far" && askedAtMs > this.healedAtMs && !isStale && !isGap) {
      this.caughtUpMs ??= askedAtMs - this.healedAtMs;
    }
    const isSilent =
      report.name === "far" &&
      askedAtMs > this.cutAtMs + silentMsMax &&
      askedAtMs < this.healedAtMs &&
      !isStale;
    const fault = isSilent ? "is answered as if it were fresh" : wrong;
    if (fault === null) return;
    report.wrong += 1;
    report.firstWrong ??= `user ${user} ${fault}`;
  }

  #eventsOf(user: string): SentEvent[] {
    const events = this.#events.get(user) ?? [];
    this.#events.set(user, events);
    return events;
  }
}

function requestFor(user: string): string {
  return JSON.stringify({
    params: {
      workspaceName: "prod",
      featureServiceName: "seen_service",
      joinKeyMap: { user_id: user },
      metadataOptions: { includeServingStatus: true, includeDetails: true },
    },
  });
}
