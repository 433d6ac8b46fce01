/** Asks each workspace's parts for what is only known there: when metrics are asked for, and once. */

import type { Clock } from "../core/clock.ts";
import { limits } from "../core/limits.ts";
import type { ServingMetrics } from "../observe/serving-metrics.ts";
import { regionKey } from "../tile/keys.ts";
import { neverMs, readRegionRecord } from "../tile/region-record.ts";
import { inTime } from "./in-time.ts";
import type { Workspace, WorkspacesParts } from "./workspace.ts";

export interface CollectParts extends WorkspacesParts {
  readonly clock: Clock;
}

/** A part that does not answer in time is counted, and its gauges are left out. */
export async function collectGauges(parts: CollectParts, metrics: ServingMetrics): Promise<void> {
  const { clock, workspaces } = parts;
  const collections = [...workspaces.values()].flatMap((workspace) => [
    { workspace, part: "publisher", collect: collectPublished },
    { workspace, part: "region", collect: collectRegion },
  ]);
  await Promise.all(
    collections.map(async ({ workspace, part, collect }) => {
      const isCollected = await inTime(clock, limits.checkDeadlineMs, (signal) =>
        collect(workspace, metrics, { clock, signal }),
      );
      if (!isCollected) metrics.collectFailures.of(workspace.name, part).add(1);
    }),
  );
}

async function collectPublished({ name, home }: Workspace, metrics: ServingMetrics): Promise<void> {
  const { views } = (await home?.publisher.published()) ?? { views: [] };
  for (const { view, cut, startedAtMs, finishedAtMs } of views) {
    metrics.compactionCut.of(name, view).set(cut);
    metrics.compactionStarted.of(name, view).set(secondsOf(startedAtMs));
    metrics.compactionFinished.of(name, view).set(secondsOf(finishedAtMs));
  }
}

async function collectRegion(
  { name, homes: { region } }: Workspace,
  metrics: ServingMetrics,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  if (region === undefined) return;
  const [stored] = await region.progress.readMany([regionKey], { signal });
  const asOfMs = stored ? readRegionRecord(stored.bytes).asOfMs : neverMs;
  metrics.regionLag
    .of(name)
    .set(asOfMs === neverMs ? null : Math.max(0, (clock.now() - asOfMs) / 1_000));
}

function secondsOf(instantMs: number | null): number | null {
  return instantMs === null ? null : instantMs / 1_000;
}
