/** Regions that follow a home, cut off and healed, while everything fails now and then. */

import { expect, test } from "vitest";
import type { SeenView, ViewAnswer } from "../../src/serve/view-answer.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { KilledError, hookCalls } from "../compact/compaction-parts.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { expectRegionAnswer } from "./check-region.ts";
import { Region, RegionWorld, hourMs, minuteMs } from "./region-world.ts";

const startMs = Date.UTC(2026, 5, 1, 7, 3);
const entities = ["a", "b", "c", "d"];
const stalenessMsMax = 30_000;

test("a region never answers what is not so, and has everything once it is healed", async () => {
  const totals = { reads: 0, faults: 0 };
  for (let seed = 1; seed <= 150; seed++) {
    try {
      const { reads, faults } = await play(randomFrom(seed));
      totals.reads += reads;
      totals.faults += faults;
    } catch (error) {
      throw new Error(`Fails for seed ${seed}`, { cause: error });
    }
  }
  // Both happen: answers with numbers, and answers that say why there is none.
  expect(totals.faults).toBeGreaterThan(0);
  expect(totals.reads).toBeGreaterThan(2 * totals.faults);
});

async function play(random: Random): Promise<{ reads: number; faults: number }> {
  const joinAt = random.integer(0, 100);
  const world = new RegionWorld(random, startMs);
  const player = new Player(world, random);
  if (random.next() < 0.8) world.interference = () => player.homeAct();
  for (const region of world.regions) region.faultChance = random.pick([0, 0.02, 0.1, 0.3]);
  for (let i = 0; i < 120; i++) {
    // The second region comes late, as a rule: it is filled from what the home still has.
    if (i === joinAt) world.regions.push(new Region(world, stalenessMsMax));
    await player.act(`act ${i}`);
  }
  world.interference = null;
  await player.heal();
  return player;
}

class Player {
  readonly #world: RegionWorld;
  readonly #random: Random;
  /** By entity, what a client has seen, and in which ids of all time. */
  readonly #sessions = new Map<string, { seen: Map<string, SeenView>; ids: readonly string[] }>();
  #eventCount = 0;
  reads = 0;
  faults = 0;

  constructor(world: RegionWorld, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  async act(when: string): Promise<void> {
    const region = this.#random.pick(this.#world.regions);
    const chance = this.#random.next();
    if (chance < 0.35) return this.homeAct();
    if (chance < 0.4) region.isCut = !region.isCut;
    else if (chance < 0.7) await this.#step(region);
    else await this.#read(region, when);
  }

  async homeAct(): Promise<void> {
    const { parts } = this.#world;
    const chance = this.#random.next();
    if (chance < 0.4) parts.clock.nowMs += this.#random.integer(1, 20_000);
    else if (chance < 0.45) parts.clock.nowMs += this.#random.integer(minuteMs, 3 * hourMs);
    else if (chance < 0.9) await this.#append();
    else if (chance < 0.99) await this.#compact();
    else await this.#world.delete(this.#random.pick(entities));
  }

  async heal(): Promise<void> {
    const { parts, regions } = this.#world;
    // The first may take up a run that was killed, cut before what the logs have forgotten since.
    for (let i = 0; i < 2; i++) await parts.compact();
    for (const region of regions) {
      region.isCut = false;
      region.faultChance = 0;
      // The end of a run waits until no older copy can be met.
      for (let i = 0; i < 12; i++) {
        parts.clock.nowMs += 20_000;
        await region.follower.step();
      }
    }
    parts.clock.nowMs += 1;
    for (const region of regions) await region.follower.step();
    // Until no older copy can be met.
    parts.clock.nowMs += stalenessMsMax;
    for (const entity of entities) {
      for (const region of regions) {
        const found = await this.#world.read(region, entity);
        const expected = await this.#world.read(
          { ...this.#world.home, nowMs: () => region.nowMs() },
          entity,
        );
        expect(valuesOf(found), `entity ${entity}, when all is healed`).toEqual(valuesOf(expected));
      }
    }
  }

  async #append(): Promise<void> {
    const { parts } = this.#world;
    const ageMs = this.#random.pick([0, minuteMs, 5 * hourMs]);
    this.#eventCount += 1;
    await this.#world.append({
      id: `e${this.#eventCount}`,
      entity: this.#random.pick(entities),
      timestampMs: parts.clock.nowMs - this.#random.integer(0, ageMs + 1),
    });
  }

  /** Some are killed on their way. */
  async #compact(): Promise<void> {
    const { parts } = this.#world;
    const killAt = this.#random.next() < 0.3 ? this.#random.integer(0, 40) : Infinity;
    const hooked = hookCalls(
      { api: parts.api(), offline: parts.offline },
      {
        before: (callIndex) => {
          if (callIndex >= killAt) throw new KilledError();
        },
      },
    );
    try {
      await compactViews({ ...hooked, repository: parts.repository });
    } catch (error) {
      if (!(error instanceof KilledError)) throw error;
    }
  }

  /** Two processes may follow at the same time, one of them slow. */
  async #step(region: Region): Promise<void> {
    const count = this.#random.next() < 0.1 ? 2 : 1;
    const steps = Array.from({ length: count }, () => region.follower.step());
    const results = await Promise.allSettled(steps);
    await region.settle();
    for (const result of results) {
      if (result.status === "rejected") {
        expect(result.reason).toMatchObject({ retryable: true });
      }
    }
  }

  async #read(region: Region, when: string): Promise<void> {
    const entity = this.#random.pick(entities);
    const session = this.#sessions.get(entity) ?? { seen: new Map(), ids: [] };
    const atHome = this.#random.next() < 0.3;
    const place = atHome ? this.#world.home : region;
    const asOfMs = await place.asOfMs();
    const isSession = this.#random.next() < 0.5;
    const answers = await this.#world.read(place, entity, isSession ? session.seen : undefined);
    this.reads += 1;
    const read = { entity, place, answers, asOfMs };
    this.faults += expectRegionAnswer(this.#world, read, when).length > 0 ? 1 : 0;
    if (isSession) this.#goOn(entity, session, { answers, nowMs: place.nowMs() });
  }

  /** Nothing that a client has seen of an entity is missing from what it is answered later. */
  #goOn(
    entity: string,
    session: { seen: Map<string, SeenView>; ids: readonly string[] },
    { answers, nowMs }: { readonly answers: readonly ViewAnswer[]; readonly nowMs: number },
  ): void {
    const live = answers.find(({ view }) => view.name === "live") as ViewAnswer;
    const [lifetime] = live.features;
    if (lifetime?.fault || this.#world.deletedAtMs.has(entity)) return;
    const ids = lifetime?.value as readonly string[];
    // Clocks differ: what is in the future of one place is not in that of another.
    const isPast = (id: string) =>
      this.#world.events.some((event) => event.id === id && event.timestampMs < nowMs);
    expect(
      session.ids.filter((id) => isPast(id) && !ids.includes(id)),
      `entity ${entity} goes back in time`,
    ).toEqual([]);
    const seen = new Map(session.seen);
    for (const each of answers) if (each.seen !== null) seen.set(each.view.name, each.seen);
    this.#sessions.set(entity, { seen, ids });
  }
}

function valuesOf(answers: readonly ViewAnswer[]): unknown {
  return answers.map(({ view, features }) => [
    view.name,
    features.map(({ value, status, fault }) => [value, status, fault]),
  ]);
}
