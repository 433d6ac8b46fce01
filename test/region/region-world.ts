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
import type { OnlineStore, StoreCapabilities } from "../../src/store/online-store.ts";
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

export class Region {
  readonly store = new MemoryStore();
  readonly homes: ServingHomes;
  readonly follower: RegionFollower;
  isCut = false;
  /** How likely a call of a step fails, before or after it did what it should. */
  faultChance = 0;
  readonly #world: RegionWorld;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(world: RegionWorld, batchStalenessMs: number) {
    this.#world = world;
    const store = this.#faulty(this.store, { ...this.store.capabilities });
    const batch = this.#faulty(this.store, {
      ...this.store.capabilities,
      stalenessMsMax: batchStalenessMs,
    });
    const streams = new StoreStreamHome(store, world.parts.repository);
    this.follower = new RegionFollower({
      repository: world.parts.repository,
      source: this.#source(),
      batch,
      streams,
      progress: store,
    });
    const region = { progress: this.store, staleAfterMs };
    this.homes = { batch: this.store, streams: [this.store], region };
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
      follow: ({ shard, afterSeq }) =>
        this.#call(async () => {
          const { nowMs } = parts.clock;
          return { ...(await shardOf(shard).follow(afterSeq)), nowMs };
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

  #faulty(store: MemoryStore, capabilities: StoreCapabilities): OnlineStore {
    return {
      capabilities,
      readMany: (keys) => this.#failing(() => store.readMany(keys)),
      write: (writes) => this.#failing(() => store.write(writes)),
    };
  }
}

export class RegionWorld {
  readonly random: Random;
  readonly parts: CompactionParts;
  readonly regions: readonly Region[];
  readonly events: TestEvent[] = [];
  readonly deletedAtMs = new Map<string, number>();
  /** What may happen while a region takes a step. */
  interference: (() => Promise<void>) | null = null;
  #isInterfering = false;

  constructor(random: Random, nowMs: number) {
    this.random = random;
    const retentionMs = random.pick([0, 10 * minuteMs, 12 * hourMs]);
    this.parts = new CompactionParts({ nowMs, retentionMs, repository: repositoryOf(views) });
    this.regions = [0, 30_000].map((stalenessMs) => new Region(this, stalenessMs));
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
    homes: ServingHomes,
    entity: string,
    seen?: ReadonlyMap<string, SeenView>,
  ): Promise<readonly ViewAnswer[]> {
    const reads = views.map((view) => ({ view, entity }));
    const request = { nowMs: this.parts.clock.nowMs, ...(seen !== undefined && { seen }) };
    return (await readViews(homes, reads, request)).answers;
  }

  get home(): ServingHomes {
    return { batch: this.parts.batchStore, streams: this.parts.homes };
  }
}

function cutOff(): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", "Cannot call: the call failed", { retryable: true });
}
