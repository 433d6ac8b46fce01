import { expect, test } from "vitest";
import { DefinitionError } from "../../src/core/errors.ts";
import type { SourceEvent, ViewDefinition } from "../../src/define/definition.ts";
import { batchSource, count, lastDistinct, loadRepository, streamView } from "../../src/index.ts";
import { readViews } from "../../src/serve/read-views.ts";
import type { ViewAnswer } from "../../src/serve/view-answer.ts";
import { windowBounds } from "../../src/window/bounds.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { hourMs, minuteMs, payment, payments, user } from "../ingest/online-parts.ts";
import type { TestEvent } from "../ingest/online-parts.ts";
import { CompactionParts } from "./compaction-parts.ts";

/** What another system keeps of the payments: the same columns in another order, and one more. */
const warehouse = batchSource("warehouse", {
  timestamp: "ts",
  id: "id",
  columns: { amt: "float64", note: "string", card: "int64", user_id: "string" },
});

// Lists of ids show any mistake, and stay raw events; counts are small, and become tiles.
const aggregations = {
  ids: [lastDistinct(1_000, "2h"), lastDistinct(1_000, "1d"), lastDistinct(1_000, "lifetime")],
  counts: [count("2h"), count("1d"), count("lifetime")],
} as const;
const views = (["sliding", "sawtooth", "continuous"] as const).flatMap((windowing) =>
  (["ids", "counts"] as const).map((of) =>
    streamView(`${of}_${windowing}`, {
      entities: [user],
      source: payments,
      history: warehouse,
      windowing,
      ...(windowing === "continuous" ? {} : { interval: "5m" }),
      features: { id: aggregations[of] },
      compaction: { every: "6h" },
    } as never),
  ),
) as unknown as readonly ViewDefinition[];
const repository = loadRepository(Object.fromEntries(views.map((view) => [view.name, view])));

const t0 = Date.UTC(2026, 2, 1, 12, 2, 7, 3);

function warehoused(event: TestEvent): SourceEvent {
  const values = warehouse.columns.map(({ name }) => {
    const index = payments.columns.findIndex((column) => column.name === name);
    return event.values[index] ?? null;
  });
  return { ...event, values };
}

async function ask(parts: CompactionParts, view: ViewDefinition): Promise<ViewAnswer> {
  const homes = { batch: parts.batchStore, streams: parts.homes };
  const { answers } = await readViews(homes, [{ view, entity: "u" }], parts.clock);
  return answers[0] as ViewAnswer;
}

/** A system that writes the history itself: what it knows, and what streamed in. */
class Shop {
  readonly parts = new CompactionParts({ nowMs: t0, repository });
  readonly streamed: TestEvent[] = [];
  readonly known: TestEvent[] = [];
  /** Of the newest compaction; late events that came after it wait. */
  watermarkMs = -Infinity;
  covered: readonly TestEvent[] = [];
  waiting: TestEvent[] = [];
  readonly #random: Random;
  #loads = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  async stream(eventCount: number): Promise<void> {
    const { clock } = this.parts;
    const events = Array.from({ length: eventCount }, (_, i) => {
      const ageMs = this.#random.pick([1, 3_000, 10 * minuteMs, 3 * hourMs, 9 * hourMs]);
      const timestampMs = clock.nowMs - this.#random.integer(0, ageMs) - 1;
      return payment(`e${this.streamed.length + i}`, timestampMs, { user: "u", card: 1 });
    });
    for (const event of events) await this.parts.append([event], this.#random.integer(0, 2));
    this.streamed.push(...events);
    this.waiting.push(...events.filter(({ timestampMs }) => timestampMs < this.watermarkMs));
  }

  /** The history learns of some events the stream had, and of one that it never had. */
  learn(): void {
    const news = this.streamed.filter((event) => !this.known.includes(event));
    const learned = news.filter(() => this.#random.next() < 0.8);
    const own = payment(`h${this.#loads}`, this.parts.clock.nowMs - hourMs, { user: "u", card: 2 });
    this.known.push(...learned, own);
    this.parts.offline.putLoad(warehouse, `load ${this.#loads++}`, [
      ...learned.map(warehoused),
      warehoused(own),
    ]);
  }

  async compact(): Promise<void> {
    const { nowMs } = this.parts.clock;
    const asked = Math.max(nowMs - this.#random.integer(0, 4 * hourMs), this.watermarkMs);
    await this.parts.compact(undefined, asked);
    const stepMs = views[0]?.watermarkStepMs as number;
    this.watermarkMs = asked - (asked % stepMs);
    this.covered = [...this.known];
    this.waiting = [];
  }

  /** The ids a window holds: the history's before the watermark, the stream's from it on. */
  expected(bounds: { readonly startMs: number; readonly endMs: number }): string[] {
    const before = this.covered.filter(({ timestampMs }) => timestampMs < this.watermarkMs);
    const after = this.streamed.filter(({ timestampMs }) => timestampMs >= this.watermarkMs);
    return [...before, ...after]
      .filter(({ timestampMs }) => timestampMs >= bounds.startMs && timestampMs < bounds.endMs)
      .sort((a, b) => a.timestampMs - b.timestampMs || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id);
  }

  async check(where: string): Promise<number> {
    let degradedCount = 0;
    for (const view of views) {
      const answer = await ask(this.parts, view);
      const shown = view.features.map(({ functionName, window }, i) => {
        const feature = answer.features[i] as ViewAnswer["features"][number];
        const asked = windowBounds(view, window, this.parts.clock.nowMs);
        if (feature.degraded !== null) degradedCount += 1;
        const found = this.expected(feature.degraded ?? asked);
        expect(feature.fault, where).toBe(null);
        expect(feature.value, `${where}, ${view.name} ${functionName}`).toEqual(
          functionName === "count" ? found.length : found,
        );
        return feature.status;
      });
      expect(new Set(shown), where).toEqual(new Set(["PRESENT"]));
      expect(answer.waitingCount, `${where}, ${view.name}`).toBe(this.waiting.length);
    }
    return degradedCount;
  }
}

test("a view with a history counts the batch before the watermark and the stream from it on", async () => {
  let degradedCount = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const random = randomFrom(seed);
    const shop = new Shop(random);
    await shop.stream(8);
    for (let round = 0; round < 4; round++) {
      shop.learn();
      await shop.compact();
      await shop.check(`seed ${seed} round ${round}, compacted`);
      for (let step = 0; step < 3; step++) {
        shop.parts.clock.nowMs += random.integer(1, 2.5 * hourMs);
        await shop.stream(4);
        degradedCount += await shop.check(`seed ${seed} round ${round} step ${step}`);
      }
    }
  }
  // Compactions are due every six hours, and these came in time.
  expect(degradedCount).toBe(0);
});

test("a late compaction of a view with a history degrades its answers, and they stay exact", async () => {
  let degradedCount = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const random = randomFrom(seed);
    const shop = new Shop(random);
    await shop.stream(40);
    shop.learn();
    await shop.compact();
    for (let step = 0; step < 4; step++) {
      shop.parts.clock.nowMs += random.integer(1, 20 * hourMs);
      await shop.stream(12);
      degradedCount += await shop.check(`seed ${seed} step ${step}`);
    }
  }
  expect(degradedCount).toBeGreaterThan(10);
});

test("an older batch copy than the stream was collected for is a gap, by its watermark", async () => {
  const shop = new Shop(randomFrom(3));
  const { parts } = shop;
  await shop.stream(8);
  shop.learn();
  await shop.compact();
  const view = views[0] as ViewDefinition;
  const key = `tm/${view.name}/${view.fingerprint}/u/b`;
  const [old] = await parts.batchStore.readMany([key]);
  for (let round = 0; round < 2; round++) {
    parts.clock.nowMs += 6 * hourMs;
    await shop.stream(2);
    shop.learn();
    await shop.compact();
  }
  await shop.check("compacted");
  await parts.batchStore.write([{ key, bytes: (old as { bytes: Uint8Array }).bytes }]);
  const answer = await ask(parts, view);
  expect(answer.features.map(({ value, fault }) => [value, fault?.code])).toEqual(
    view.features.map(() => [null, "GAP"]),
  );
});

test("a view with a history needs a watermark, of the past and not before the last one", async () => {
  const shop = new Shop(randomFrom(4));
  const { parts } = shop;
  await shop.stream(2);
  await expect(parts.compact()).rejects.toMatchObject({
    code: "INVALID_REQUEST",
    message: expect.stringContaining('its history comes from source "warehouse"') as string,
  });
  await expect(parts.compact(undefined, t0 + 1)).rejects.toMatchObject({
    code: "INVALID_REQUEST",
    message: expect.stringContaining("which is still to come") as string,
  });
  await parts.compact(undefined, t0 - hourMs);
  await expect(parts.compact(undefined, t0 - 9 * hourMs)).rejects.toMatchObject({
    code: "CONFLICT",
    message: expect.stringContaining("expected that or a later one") as string,
  });
  await parts.compact(undefined, t0 - minuteMs);
});

test("streamView() refuses a history that does not hold its columns", () => {
  const define = (history: unknown) =>
    streamView("spend", {
      entities: [user],
      source: payments,
      history,
      windowing: "sliding",
      interval: "5m",
      features: { id: [count("1h")] },
      compaction: { every: "6h" },
    } as never);
  const bare = { timestamp: "ts", columns: { user_id: "string" } } as const;
  for (const [history, said] of [
    [payments, "history is an object of kind"],
    [
      batchSource("w", { ...bare, id: "id", columns: { card: "int64" } }),
      'column "user_id" is not',
    ],
    [
      batchSource("w", { ...bare, columns: { user_id: "int64", id: "string" } }),
      'has type "string" and in history "w" type "int64"',
    ],
    [batchSource("w", { ...bare, columns: { user_id: "string", id: "string" } }), "declares an id"],
  ] as const) {
    expect(() => define(history), said).toThrow(DefinitionError);
    expect(() => define(history)).toThrow(said);
  }
  expect(define(warehouse).fingerprint).not.toBe(define(undefined).fingerprint);
});
