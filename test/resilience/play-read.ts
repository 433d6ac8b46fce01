/** One request of a load in virtual time: a read with a deadline, and what became of it. */

import { getEventListeners } from "node:events";
import type { RecordReader, Staleness, StoredValue } from "../../src/store/online-store.ts";
import { withDeadline } from "../../src/store/resilient/with-deadline.ts";
import type { ManualClock } from "../builders/manual-clock.ts";

export interface PlayedRead {
  readonly keys: readonly string[];
  readonly startMs: number;
  readonly endMs: number;
  /** Null where it failed. */
  readonly values: readonly (StoredValue | null)[] | null;
  readonly error: unknown;
  readonly staleness: Staleness | null;
  /** Listeners that the read left behind on its request's signal. */
  readonly listenerCount: number;
}

export interface ReadToPlay {
  readonly clock: ManualClock;
  readonly keys: readonly string[];
  readonly deadlineMs: number;
  /** When the client goes away. */
  readonly goneAfterMs?: number;
}

/** Never rejects. */
export async function playRead(reader: RecordReader, read: ReadToPlay): Promise<PlayedRead> {
  const { clock, keys, deadlineMs, goneAfterMs = Infinity } = read;
  const startMs = clock.now();
  const request = withDeadline(clock, Math.min(deadlineMs, goneAfterMs));
  const listenersBefore = getEventListeners(request.signal, "abort").length;
  let values: PlayedRead["values"] = null;
  let error: unknown = null;
  let staleness: Staleness | null = null;
  try {
    values = await reader.readMany(keys, {
      signal: request.signal,
      onStale: (told) => (staleness = told),
    });
  } catch (thrown) {
    error = thrown;
  }
  // The deadline's own timer listens until it is aborted.
  const expected = request.signal.aborted ? 0 : listenersBefore;
  const listenerCount = getEventListeners(request.signal, "abort").length - expected;
  request.dispose();
  return { keys, startMs, endMs: clock.now(), values, error, staleness, listenerCount };
}
