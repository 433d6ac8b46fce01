/** What a request met of a view's records, as JSON. */

import { formatInstant, instantMsMax } from "../core/instant.ts";
import type { ViewDefinition } from "../define/definition.ts";
import type { ViewAnswer } from "../serve/view-answer.ts";
import type { ViewEvidence } from "../serve/view-evidence.ts";
import type { BatchRecord } from "../tile/batch-record.ts";
import type { PartialView } from "../tile/partial-codec.ts";
import type { RegionRecord } from "../tile/region-record.ts";
import { neverMs } from "../tile/region-record.ts";
import type { StreamRecordView } from "../tile/stream-record.ts";
import type { Interval } from "../window/bounds.ts";
import type { Json } from "./encode-value.ts";

/** Where nothing was read, as of a view that timed out, there is no more than its name. */
export function writeViewRecords(answer: ViewAnswer, nowMs: number): Json {
  const { view, evidence, staleness, waitingCount, cachedAtMs } = answer;
  const { name, kind, fingerprint } = view;
  return {
    view: name,
    kind,
    fingerprint,
    ...(cachedAtMs !== undefined && {
      cachedAt: formatInstant(cachedAtMs),
      cachedAgeMs: nowMs - cachedAtMs,
    }),
    ...(staleness !== null && {
      staleness: { asOf: formatInstant(staleness.asOfMs), reason: staleness.reason },
    }),
    ...(evidence !== undefined && writeEvidence(view, evidence, nowMs)),
    ...(waitingCount !== null && { lateEventsWaiting: waitingCount }),
  };
}

function writeEvidence(
  view: ViewDefinition,
  { records, batchBytes, streamBytes, isDeleted, region }: ViewEvidence,
  nowMs: number,
) {
  const { batch, stream } = records;
  return {
    deleted: isDeleted,
    batch: batch === null ? null : { sizeBytes: batchBytes, ...writeBatch(view, batch, nowMs) },
    stream: stream === null ? null : { sizeBytes: streamBytes, ...writeStream(stream, batch) },
    ...(region !== null && { region: writeRegion(view, region) }),
  };
}

function writeBatch({ kind, horizonMs }: ViewDefinition, batch: BatchRecord, nowMs: number) {
  const { cut, watermarkMs, sealedAtMs, eventCount } = batch.header;
  const exactUntilMs = sealedAtMs + horizonMs;
  return {
    cut,
    watermark: formatInstant(watermarkMs),
    watermarkAgeMs: nowMs - watermarkMs,
    sealedAt: formatInstant(sealedAtMs),
    ...(kind === "streamView" &&
      isInstant(exactUntilMs) && { exactUntil: formatInstant(exactUntilMs) }),
    eventCount,
    ...writeCover(batch.partial),
  };
}

function writeStream(stream: StreamRecordView, batch: BatchRecord | null) {
  const { collectedEpoch, positions, epochs } = stream;
  const cut = batch?.header.cut ?? -1;
  return {
    collectedEpoch,
    positions: Object.fromEntries(positions),
    epochs: epochs.map(({ epoch, startedAtMs, partial }) => ({
      epoch,
      startedAt: formatInstant(startedAtMs),
      pastCut: epoch > cut,
      ...writeCover(partial),
    })),
  };
}

function writeCover({ tileStartsMs, eventTimestampsMs }: PartialView) {
  return { tileCount: tileStartsMs.length, rawEventCount: eventTimestampsMs.length };
}

function writeRegion({ fingerprint }: ViewDefinition, { asOfMs, feeds }: RegionRecord) {
  const place = feeds.get(fingerprint);
  return {
    ...(asOfMs !== neverMs && { asOf: formatInstant(asOfMs) }),
    ...(place !== undefined && { cut: place.cut, floor: place.floor }),
  };
}

/** A window of a lifetime has no start. */
export function writeInterval({ startMs, endMs }: Interval) {
  return {
    ...(isInstant(startMs) && { startTime: formatInstant(startMs) }),
    ...(isInstant(endMs) && { endTime: formatInstant(endMs) }),
  };
}

/** Edges of windows may lie past the ends of time. */
function isInstant(atMs: number): boolean {
  return Math.abs(atMs) <= instantMsMax;
}
