/**
 * Sends rows that are asked for at the same time together. Each caller waits by itself: it leaves
 * when its time is up or its signal is aborted, and the request is aborted when all have left.
 */

import type { Clock } from "../core/clock.ts";
import { clientLimits } from "./client-limits.ts";
import { waitForAnswer } from "./wait-for-answer.ts";
import type { Waiting, WaitOptions } from "./wait-for-answer.ts";

/** Of a request under way. */
export interface Patience {
  /** Aborted when nobody waits any longer. */
  readonly signal: AbortSignal;
  /** When the last of those who wait stops waiting. */
  endsAtMs(): number;
}

/** What the rows of one request have in common; and how to send them. */
export interface RowKind<Row, Answer> {
  /** Rows of one key can go together; those without a key go alone. */
  readonly key: string | null;
  /** Answers with a reader of the answer to the row at an index. */
  send(rows: readonly Row[], patience: Patience): Promise<(index: number) => Answer>;
}

export interface BatcherOptions {
  readonly clock: Clock;
  /** How long a row waits for others, in milliseconds; 0 for those of the same tick alone. */
  readonly windowMs: number;
  readonly rowsMax: number;
}

interface Seat<Row, Answer> {
  readonly row: Row;
  readonly endsAtMs: number;
  readonly waiting: Waiting<Answer>;
}

interface Batch<Row, Answer> {
  readonly kind: RowKind<Row, Answer>;
  readonly seats: Set<Seat<Row, Answer>>;
  readonly abort: AbortController;
  charactersCount: number;
}

export class Batcher<Row extends { readonly charactersCount: number }, Answer> {
  readonly #options: BatcherOptions;
  /** Those that still take rows, by key. */
  readonly #open = new Map<string, Batch<Row, Answer>>();

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** @throws what sending throws, and what `waitForAnswer` does. */
  ask(kind: RowKind<Row, Answer>, row: Row, options: WaitOptions): Promise<Answer> {
    const { clock } = this.#options;
    const batch = this.#batchFor(kind, row);
    const waiting = waitForAnswer<Answer>(clock, options, (reason) => {
      batch.seats.delete(seat);
      if (batch.seats.size === 0) batch.abort.abort(reason);
    });
    const seat = { row, waiting, endsAtMs: clock.now() + options.deadlineMs };
    batch.seats.add(seat);
    batch.charactersCount += row.charactersCount;
    if (kind.key === null || batch.seats.size >= this.#options.rowsMax) this.#close(batch);
    return waiting.promise;
  }

  #batchFor(kind: RowKind<Row, Answer>, row: Row): Batch<Row, Answer> {
    const open = kind.key === null ? undefined : this.#open.get(kind.key);
    if (open !== undefined) {
      const charactersCount = open.charactersCount + row.charactersCount;
      if (charactersCount <= clientLimits.batchCharactersMax) return open;
      this.#close(open);
    }
    const abort = new AbortController();
    const batch: Batch<Row, Answer> = { kind, seats: new Set(), abort, charactersCount: 0 };
    if (kind.key !== null) {
      this.#open.set(kind.key, batch);
      void this.#closeInTime(batch);
    }
    return batch;
  }

  async #closeInTime(batch: Batch<Row, Answer>): Promise<void> {
    const { clock, windowMs } = this.#options;
    // An await of nothing lasts until what is running now has run.
    await (windowMs > 0 ? clock.sleep(windowMs) : undefined);
    if (this.#open.get(batch.kind.key ?? "") === batch) this.#close(batch);
  }

  #close(batch: Batch<Row, Answer>): void {
    const { key } = batch.kind;
    if (key !== null) this.#open.delete(key);
    void sendBatch(batch);
  }
}

/** Never rejects: what goes wrong is told to those who wait. */
async function sendBatch<Row, Answer>({ kind, seats, abort }: Batch<Row, Answer>): Promise<void> {
  const sent = [...seats];
  if (sent.length === 0) return;
  const endsAtMs = () => Math.max(...[...seats].map((seat) => seat.endsAtMs));
  const rows = sent.map(({ row }) => row);
  try {
    const answerAt = await kind.send(rows, { signal: abort.signal, endsAtMs });
    sent.forEach(({ waiting }, i) => settle(waiting, () => answerAt(i)));
  } catch (error) {
    for (const { waiting } of sent) waiting.reject(error);
  }
}

/** A row that cannot be read is no matter of the others. */
function settle<Answer>(waiting: Waiting<Answer>, read: () => Answer): void {
  try {
    waiting.resolve(read());
  } catch (error) {
    waiting.reject(error);
  }
}
