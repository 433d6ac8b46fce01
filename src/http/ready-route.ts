/**
 * `GET /readyz`: whether requests can be answered here. It is open to everyone, so it says no more
 * than which parts do not answer, and looks at them no more often than once in a time, however often
 * it is asked.
 */

import { Hono } from "hono";
import type { Clock } from "../core/clock.ts";
import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { nameHomes } from "../observe/observed-homes.ts";
import type { RecordReader } from "../store/online-store.ts";
import { regionKey } from "../tile/keys.ts";
import { neverMs, readRegionRecord } from "../tile/region-record.ts";
import { notReadyStatus } from "./errors.ts";
import { inTime } from "./in-time.ts";
import type { HttpEnv } from "./request-clock.ts";
import type { Workspace, WorkspacesParts } from "./workspace.ts";

export interface ReadyRouteParts extends WorkspacesParts {
  readonly clock: Clock;
}

interface Part {
  /** As `prod/batch`. */
  readonly name: string;
  readonly check: (signal: AbortSignal) => Promise<unknown>;
}

interface Outcome {
  /** Names of parts; null before the first check is done. */
  readonly failed: readonly string[] | null;
}

/**
 * Answers 200 with `{ status: "ready" }`, or 503 with the names of the parts that failed. While a
 * check is under way others get the outcome of the one before it: none waits for another's.
 */
export function readyRoute(parts: ReadyRouteParts): Hono<HttpEnv> {
  const { clock } = parts;
  let beganAtMs = -Infinity;
  let outcome: Outcome = { failed: null };
  return new Hono<HttpEnv>().get("/readyz", async (c) => {
    const nowMs = clock.now();
    if (Math.abs(nowMs - beganAtMs) > limits.readinessAgeMsMax) {
      beganAtMs = nowMs;
      outcome = { failed: await failedParts(parts, nowMs) };
    }
    const { failed } = outcome;
    if (failed?.length === 0) return c.json({ status: "ready" });
    return c.json({ status: "notReady", failed: failed ?? ["start"] }, notReadyStatus);
  });
}

async function failedParts(
  { clock, workspaces }: ReadyRouteParts,
  nowMs: number,
): Promise<readonly string[]> {
  const parts = [...workspaces.values()].flatMap((workspace) => partsOf(workspace, nowMs));
  const answered = await Promise.all(
    parts.map(({ check }) => inTime(clock, limits.checkDeadlineMs, check)),
  );
  return parts.filter((_, i) => answered[i] === false).map(({ name }) => name);
}

function partsOf({ name, homes, home }: Workspace, nowMs: number): readonly Part[] {
  const { region } = homes;
  const shards = home?.logs.flatMap((log) => home.logShards(log)) ?? [];
  const parts: readonly Part[] = [
    ...[...nameHomes(homes)].map(([reader, homeName], i): Part => {
      return { name: `${homeName}-${i}`, check: (signal) => readNothing(reader, nowMs, signal) };
    }),
    ...shards.map((log) => ({ name: `log-${log.shard}`, check: () => log.read(noRows) })),
    ...(home === undefined ? [] : [{ name: "publisher", check: () => home.publisher.home() }]),
    ...(region === undefined
      ? []
      : [{ name: "region", check: (signal: AbortSignal) => readCopy(region.progress, signal) }]),
  ];
  return parts.map((part) => ({ ...part, name: `${name}/${part.name}` }));
}

const noRows = { afterSeq: Number.MAX_SAFE_INTEGER, epochMax: -1, rowsMax: 1 };

/** A key that was never read before: no cache answers for it in the place of the store. */
function readNothing(reader: RecordReader, nowMs: number, signal: AbortSignal): Promise<unknown> {
  return reader.readMany([`ready/${nowMs}`], { signal });
}

/** @throws FeatureError before the region has its first copy. */
async function readCopy(progress: RecordReader, signal: AbortSignal): Promise<void> {
  const [stored] = await progress.readMany([regionKey], { signal });
  if (stored && readRegionRecord(stored.bytes).asOfMs !== neverMs) return;
  throw new FeatureError("STORE_UNAVAILABLE", "Cannot answer here: the region has no copy yet");
}
