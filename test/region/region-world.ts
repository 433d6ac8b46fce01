/**
 * A home and regions that follow it, all in this process, over calls and stores that fail: every
 * feature is the list of the event ids in its window, so errors cannot cancel.
 */

import { FeatureError } from "../../src/core/errors.ts";
import type { EntityDefinition, Repository, ViewDefinition } from "../../src/define/definition.ts";
import { StoreStreamHome } from "../../src/ingest/store-stream-home.ts";
import { writeSourceEvent } from "../../src/ingest/source-event-codec.ts";
import type { LogHome } from "../../src/ingest/log-home.ts";
import { RegionFollower } from "../../src/region/region-follower.ts";
import type { RegionSource } from "../../src/region/region-source.ts";
import { readViews } from "../../src/serve/read-views.ts";
import type { ServingHomes } from "../../src/serve/read-views.ts";
import type { SeenView, ViewAnswer } from "../../src/serve/view-answer.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { LogRow } from "../../src/store/event-log.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";
import { regionKey } from "../../src/tile/keys.ts";
import { readRegionRecord } from "../../src/tile/region-record.ts";
import { idView } from "../builders/id-view.ts";
import type { Random } from "../builders/random.ts";
import { CompactionParts } from "../compact/compaction-parts.ts";

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
export const staleAfterMs = 15_000;

const windows = [
  { sizeMs: null, offsetMs: 0 },
  { sizeMs: 6 * hourMs, offsetMs: 0 },
];

function viewOf(name: string, windowing: ViewDefinition["windowing"]): ViewDefinition {
  const horizonMs = 3 * hourMs;
  return idView({ name, windowing, intervalMs: minuteMs, windows, horizonMs, fingerprint: name });
}

/** The first one sees every event at once. */
export const liveView = viewOf("live", "continuous");
export const views: readonly ViewDefinition[] = [
  liveView,
  viewOf("steps", "sliding"),
  { ...viewOf("history", "sliding"), kind: "batchView" },
];

const source = liveView.source;
const user = liveView.entities[0] as EntityDefinition;

function repositoryOf(own: readonly ViewDefinition[]): Repository {
  return {
    onDemandViews: new Map(),
    services: new Map(),
    entities: new Map([[user.name, user]]),
    sources: new Map([[source.name, source]]),
    views: new Map(own.map((view) => [view.name, view])),
  };
}

export interface TestEvent {
  readonly id: string;
  readonly entity: string;
  readonly timestampMs: number;
  /** When its append had been acknowledged; Infinity before that. */
  ackedAtMs: number;
}

/** A region, or the home. */
export interface ReadPlace {
  readonly homes: ServingHomes;
  readonly stalenessMs: number;
  /** Its own clock. */
  nowMs(): number;
  /** By the home's clock. */
  asOfMs(): Promise<number>;
}

export class Region implements ReadPlace {
  readonly store = new MemoryStore();
  readonly homes: ServingHomes;
  /** Requests may meet batch records as they were so long ago. */
  readonly stalenessMs: number;
  /** How far its clock is from the home's. */
  readonly clockOffsetMs: number;
  readonly follower: RegionFollower;
  isCut = false;
  /** How likely a call of a step fails, before or after it did what it should. */
  faultChance = 0;
  readonly #world: RegionWorld;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(world: RegionWorld, stalenessMs: number) {
    this.#world = world;
    this.stalenessMs = stalenessMs;
    this.clockOffsetMs = world.random.integer(-8_000, 8_001);
    const store = this.#faulty(this.store);
    const copies = new StaleCopies(world, this.store, stalenessMs);
    const batch = this.#faulty(stalenessMs === 0 ? this.store : copies);
    const streams = new StoreStreamHome(store, world.parts.repository);
    this.follower = new RegionFollower({
      clock: { now: () => this.nowMs() },
      repository: world.parts.repository,
      source: this.#source(),
      batch,
      streams,
      progress: store,
    });
    const region = { progress: this.store, staleAfterMs };
    const batchReader = stalenessMs === 0 ? this.store : copies;
    this.homes = { batch: batchReader, streams: [this.store], region };
  }

  nowMs(): number {
    return this.#world.parts.clock.nowMs + this.clockOffsetMs;
  }

  async asOfMs(): Promise<number> {
    const [stored] = await this.store.readMany([regionKey]);
    return stored === null || stored === undefined ? 0 : readRegionRecord(stored.bytes).asOfMs;
  }

  #source(): RegionSource {
    const { parts } = this.#world;
    const shardOf = (shard: string) =>
      parts.logShards("main").find((each) => each.shard === shard) as LogHome;
    return {
      published: () => this.#call(() => parts.publisher.published()),
      feed: (request) => this.#call(() => parts.publisher.feed(request)),
      shards: () => this.#call(() => Promise.resolve(parts.logs.map(({ home }) => home.shard))),
      keyBook: () => this.#call(() => Promise.resolve(new TextEncoder().encode("[]"))),
      follow: ({ shard, afterSeq }) =>
        this.#call(async () => {
          const { nowMs } = parts.clock;
          const page = await shardOf(shard).follow(afterSeq);
          return { ...page, nowMs, rows: this.#damaged(page.rows) };
        }),
    };
  }

  /** A step that fails may leave calls under way. */
  async settle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  #call<T>(body: () => Promise<T>): Promise<T> {
    const call = this.#interfered(body);
    this.#underWay.add(call);
    const end = () => this.#underWay.delete(call);
    call.then(end, end);
    return call;
  }

  /** Something may happen at home before and after each call. */
  async #interfered<T>(body: () => Promise<T>): Promise<T> {
    if (this.isCut) throw cutOff();
    await this.#world.interfere();
    const answer = await this.#failing(body);
    await this.#world.interfere();
    return answer;
  }

  async #failing<T>(body: () => Promise<T>): Promise<T> {
    const { random } = this.#world;
    const chance = random.next();
    if (chance < this.faultChance / 2) throw cutOff();
    const answer = await body();
    if (chance < this.faultChance) throw cutOff();
    return answer;
  }

  /** Now and then a row is lost on its way, and others come after it. */
  #damaged(rows: readonly LogRow[]): readonly LogRow[] {
    const { random } = this.#world;
    if (rows.length < 2 || random.next() > this.faultChance) return rows;
    const lost = random.integer(0, rows.length - 1);
    return rows.filter((_, i) => i !== lost);
  }

  #faulty(store: OnlineStore): OnlineStore {
    return {
      capabilities: store.capabilities,
      readMany: (keys) => this.#failing(() => store.readMany(keys)),
      write: (writes) => this.#failing(() => store.write(writes)),
    };
  }
}

/** Reads batch records as they were a while ago, each key by itself, as Workers KV may. */
class StaleCopies implements OnlineStore {
  readonly capabilities: StoreCapabilities;
  readonly #world: RegionWorld;
  readonly #store: MemoryStore;
  readonly #writes = new Map<
    string,
    { readonly atMs: number; readonly value: StoredValue | null }[]
  >();

  constructor(world: RegionWorld, store: MemoryStore, stalenessMsMax: number) {
    this.capabilities = { ...store.capabilities, stalenessMsMax };
    this.#world = world;
    this.#store = store;
  }

  readMany(keys: readonly string[]): Promise<readonly (StoredValue | null)[]> {
    const { random, parts } = this.#world;
    return Promise.resolve(
      keys.map((key) => {
        const asOfMs = parts.clock.nowMs - random.integer(0, this.capabilities.stalenessMsMax + 1);
        const writes = this.#writes.get(key) ?? [];
        return writes.findLast(({ atMs }) => atMs <= asOfMs)?.value ?? null;
      }),
    );
  }

  write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    const atMs = this.#world.parts.clock.nowMs;
    for (const { key, bytes } of writes) {
      const value = bytes === null ? null : { bytes, version: null };
      this.#writes.set(key, [...(this.#writes.get(key) ?? []), { atMs, value }]);
    }
    return this.#store.write(writes);
  }
}

export class RegionWorld {
  readonly random: Random;
  readonly parts: CompactionParts;
  readonly regions: Region[];
  readonly events: TestEvent[] = [];
  readonly deletedAtMs = new Map<string, number>();
  /** What may happen while a region takes a step. */
  interference: (() => Promise<void>) | null = null;
  #isInterfering = false;

  constructor(random: Random, nowMs: number) {
    this.random = random;
    const retentionMs = random.pick([0, 10 * minuteMs, 12 * hourMs]);
    this.parts = new CompactionParts({ nowMs, retentionMs, repository: repositoryOf(views) });
    this.regions = [new Region(this, 0)];
  }

  async interfere(): Promise<void> {
    if (this.#isInterfering || this.random.next() > 0.1) return;
    // What happens meanwhile is not interfered with.
    this.#isInterfering = true;
    await this.interference?.();
    this.#isInterfering = false;
  }

  async append(event: Omit<TestEvent, "ackedAtMs">): Promise<void> {
    const { parts } = this;
    const { id, entity, timestampMs } = event;
    const added = { ...event, ackedAtMs: Infinity };
    this.events.push(added);
    const values = [timestampMs, id, entity];
    const body = writeSourceEvent(source, { timestampMs, id, values });
    const shard = parts.logs[this.random.integer(0, parts.logs.length)]?.home as LogHome;
    await shard.append([{ source: source.name, id, timestampMs, body, offset: null }], {
      nowMs: parts.clock.nowMs,
      redeliveryHorizonMs: new Map([[source.name, source.redeliveryHorizonMs]]),
    });
    added.ackedAtMs = parts.clock.nowMs;
  }

  async delete(entity: string): Promise<void> {
    this.deletedAtMs.set(entity, Infinity);
    await this.parts.publisher.delete({ entity: user.name, joinKeys: [entity] });
    this.deletedAtMs.set(entity, this.parts.clock.nowMs);
  }

  async read(
    place: ReadPlace,
    entity: string,
    seen?: ReadonlyMap<string, SeenView>,
  ): Promise<readonly ViewAnswer[]> {
    const reads = views.map((view) => ({ view, entity }));
    const request = { nowMs: place.nowMs(), ...(seen !== undefined && { seen }) };
    return (await readViews(place.homes, reads, request)).answers;
  }

  get home(): ReadPlace {
    const { batchStore, homes, clock } = this.parts;
    return {
      homes: { batch: batchStore, streams: homes },
      stalenessMs: 0,
      nowMs: () => clock.nowMs,
      asOfMs: () => Promise.resolve(clock.nowMs),
    };
  }
}

function cutOff(): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", "Cannot call: the call failed", { retryable: true });
}
