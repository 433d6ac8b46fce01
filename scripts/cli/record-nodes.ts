/** The records of a view in an explanation, as nodes of a tree. */

import type { ExplainedBatch, ExplainedStream, ExplainedView } from "./explained-vector.ts";
import type { TreeNode } from "./tree-lines.ts";

/** None where nothing was read. */
export function recordNodes(view: ExplainedView): readonly TreeNode[] {
  const { kind, batch, stream, region, lateEventsWaiting = 0 } = view;
  return [
    ...(batch === undefined ? [] : [batchNode(batch)]),
    ...(stream === undefined || kind === "batchView" ? [] : [streamNode(stream)]),
    ...(lateEventsWaiting > 0
      ? [{ text: `${amount(lateEventsWaiting, "late event")} waiting for the next compaction` }]
      : []),
    ...(region === undefined ? [] : [{ text: regionText(region) }]),
  ];
}

function batchNode(batch: ExplainedBatch | null): TreeNode {
  if (batch === null) return { text: "batch record: none" };
  const { sizeBytes, cut, watermark, watermarkAgeMs, exactUntil, eventCount } = batch;
  const cover = `${amount(batch.tileCount, "tile")} and ${amount(batch.rawEventCount, "raw event")}`;
  return {
    text: `batch record: ${amount(sizeBytes, "byte")}, cut ${cut}, ${amount(eventCount, "event")} in ${cover}`,
    children: [
      { text: `watermark ${watermark}, ${durationText(watermarkAgeMs)} ago` },
      ...(exactUntil === undefined ? [] : [{ text: `exact until ${exactUntil}` }]),
    ],
  };
}

function streamNode(stream: ExplainedStream | null): TreeNode {
  if (stream === null) return { text: "stream record: none" };
  const { sizeBytes, collectedEpoch, positions, epochs } = stream;
  const collected =
    collectedEpoch < 0 ? "nothing collected" : `collected to epoch ${collectedEpoch}`;
  const places = Object.entries(positions).map(([shard, place]) => `${shard} at ${place}`);
  const log = places.length === 0 ? "" : `; log ${places.join(", ")}`;
  return {
    text: `stream record: ${amount(sizeBytes, "byte")}, ${collected}${log}`,
    children: epochs.map(({ epoch, startedAt, pastCut, tileCount, rawEventCount }) => {
      const cover = `${amount(tileCount, "tile")}, ${amount(rawEventCount, "raw event")}`;
      const note = pastCut ? "" : ", in the batch record too: not counted";
      return { text: `epoch ${epoch} since ${startedAt}: ${cover}${note}` };
    }),
  };
}

function regionText({ asOf, cut, floor }: NonNullable<ExplainedView["region"]>): string {
  const heard = asOf === undefined ? "has never heard from its home" : `as of ${asOf}`;
  const place = cut === undefined ? ", has not got the view" : `, cut ${cut}, floor ${floor}`;
  return `region: ${heard}${place}`;
}

/** As `1,024 bytes` or `1 byte`. */
export function amount(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** The two largest units, as `2d 3h`. */
export function durationText(durationMs: number): string {
  const units = [
    [86_400_000, "d"],
    [3_600_000, "h"],
    [60_000, "m"],
    [1_000, "s"],
  ] as const;
  const first = units.findIndex(([unitMs]) => Math.abs(durationMs) >= unitMs);
  if (first < 0) return `${durationMs}ms`;
  let restMs = Math.abs(durationMs);
  const parts = units.slice(first, first + 2).flatMap(([unitMs, name]) => {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    return count === 0 ? [] : [`${count}${name}`];
  });
  return `${durationMs < 0 ? "-" : ""}${parts.join(" ")}`;
}
