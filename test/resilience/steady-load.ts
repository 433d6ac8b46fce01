/** Reads at a fixed rate in virtual time, sent whether or not earlier ones have been answered. */

import type { RecordReader } from "../../src/store/online-store.ts";
import type { ManualClock } from "../builders/manual-clock.ts";
import { playRead } from "./play-read.ts";
import type { PlayedRead } from "./play-read.ts";

export interface SteadyLoad {
  readonly clock: ManualClock;
  readonly readsPerSecond: number;
  readonly durationMs: number;
  readonly deadlineMs: number;
}

export async function playLoad(reader: RecordReader, load: SteadyLoad): Promise<PlayedRead[]> {
  const { clock, readsPerSecond, durationMs, deadlineMs } = load;
  const reads: PlayedRead[] = [];
  const readCount = (readsPerSecond * durationMs) / 1_000;
  for (let i = 0; i < readCount; i++) {
    const read = playRead(reader, { clock, keys: [`key ${i % 50}`], deadlineMs });
    void read.then((played) => reads.push(played));
    await clock.advance(1_000 / readsPerSecond);
  }
  await clock.advance(deadlineMs);
  return reads;
}

/** The share of the reads begun in [fromMs, untilMs) that were answered, and not with old values. */
export function goodShare(reads: readonly PlayedRead[], fromMs: number, untilMs: number): number {
  const begun = reads.filter(({ startMs }) => fromMs <= startMs && startMs < untilMs);
  return begun.filter(isGood).length / begun.length;
}

export function isGood({ values, staleness }: PlayedRead): boolean {
  return values !== null && staleness === null;
}
