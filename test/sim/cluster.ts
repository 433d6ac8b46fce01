/**
 * The system under simulation: the project's own log homes, stream homes and publisher, each an actor
 * over state that outlives it, wired by calls that may fail.
 */

import { Publisher } from "../../src/compact/publisher.ts";
import type { CompactionApi } from "../../src/compact/compaction-api.ts";
import type { Repository, SourceDefinition, ViewDefinition } from "../../src/define/definition.ts";
import { LogHome } from "../../src/ingest/log-home.ts";
import type { LogAccess } from "../../src/ingest/log-home.ts";
import { ShardedStreams } from "../../src/ingest/sharded-streams.ts";
import { StoreStreamHome } from "../../src/ingest/store-stream-home.ts";
import type { ServingHomes } from "../../src/serve/read-views.ts";
import type { EventLogShard } from "../../src/store/event-log.ts";
import { MemoryEventLog } from "../../src/store/memory-event-log.ts";
import type { OnlineStore, StoreCapabilities, StoredValue } from "../../src/store/online-store.ts";
import type { StateTable } from "../../src/store/state-table.ts";
import type { StreamHome } from "../../src/store/stream-home.ts";
import { Actor } from "./actors.ts";
import type { Life, Network } from "./actors.ts";
import { CopiedStore } from "./copied-store.ts";
import { hourMs } from "./id-views.ts";
import { SimStateTable } from "./sim-state-table.ts";

export const homeRegion = 0;
export const regionCount = 3;

/** Rows in a page of the log: few, so that epochs span pages. */
const pageRowsMax = 4;

export interface ClusterParts {
  readonly network: Network;
  readonly repository: Repository;
  readonly logShardCount: number;
  readonly streamShardCount: number;
}

interface LogShard {
  readonly shard: string;
  readonly log: MemoryEventLog;
  readonly home: Actor<LogHome>;
}

interface StreamShard {
  readonly store: CopiedStore;
  readonly home: Actor<StoreStreamHome>;
}

export class Cluster {
  readonly batch: CopiedStore;
  readonly streams: readonly StreamShard[];
  readonly logs: readonly LogShard[];
  readonly publisher: Actor<Publisher>;
  readonly state = new SimStateTable();
  readonly #network: Network;
  readonly #repository: Repository;

  constructor({ network, repository, logShardCount, streamShardCount }: ClusterParts) {
    this.#network = network;
    this.#repository = repository;
    const { scheduler, random, profile } = network;
    const copies = { scheduler, random, regionCount };
    this.batch = new CopiedStore({
      ...copies,
      bounds: {
        lagMsMax: random.pick([0, 20_000, 60_000]),
        cacheMsMax: random.pick([0, 60_000, 120_000]),
        staleChance: profile.staleCopy,
        staleMsMax: 4 * hourMs,
      },
    });
    const streamBounds = {
      lagMsMax: random.pick([0, 5_000, 20_000]),
      cacheMsMax: random.pick([0, 10_000]),
      staleChance: 0,
      staleMsMax: 0,
    };
    this.streams = Array.from({ length: streamShardCount }, (_, i) => {
      const store = new CopiedStore({ ...copies, bounds: streamBounds });
      const home = new Actor(network, `stream-${i}`, (life) => this.#openStreams(life, store));
      return { store, home };
    });
    this.logs = Array.from({ length: logShardCount }, (_, i) => {
      const shard = `main-${i}`;
      const log = new MemoryEventLog();
      const home = new Actor(network, shard, (life) => this.#openLog(life, shard, log));
      return { shard, log, home };
    });
    this.publisher = new Actor(network, "publisher", (life) => this.#openPublisher(life));
  }

  /** How old what a view answers from may be in a region; Infinity where nothing is promised. */
  freshnessMs(view: ViewDefinition, region: number): number {
    if (view.kind === "batchView") {
      return this.#network.profile.staleCopy > 0 ? Infinity : this.batch.stalenessMsMax;
    }
    if (region === homeRegion) return 0;
    return Math.max(...this.streams.map(({ store }) => store.stalenessMsMax));
  }

  /** What a request in a region reads from. */
  servingHomes(caller: Life, region: number): ServingHomes {
    const { capabilities } = this;
    const read = (store: CopiedStore) => (keys: readonly string[]) =>
      this.#network.callStore(caller, {
        name: "read copy",
        body: () => Promise.resolve(this.#flipped(store.readCopy(region, keys))),
        options: { lateMsMax: 0 },
      });
    const homes = this.#streamHomes(caller);
    return {
      batch: { capabilities, readMany: read(this.batch) },
      streams: homes.map((home, i) => {
        if (region === homeRegion) return home;
        return { ...home, readMany: read((this.streams[i] as StreamShard).store) };
      }),
    };
  }

  logShards(caller: Life): LogAccess[] {
    return this.logs.map(({ shard, home }) => {
      const call = <R>(name: string, body: (instance: LogHome) => Promise<R>) =>
        this.#network.call(caller, home, { name: `${shard} ${name}`, body });
      return {
        shard,
        append: (entries, options) => call("append", (log) => log.append(entries, options)),
        seal: (seal) => call("seal", (log) => log.seal(seal)),
        closeBefore: (source, beforeMs) =>
          call("closeBefore", (log) => log.closeBefore(source, beforeMs)),
        repair: (nowMs) => call("repair", (log) => log.repair(nowMs)),
        read: (range) => call("read", (log) => log.read(range)),
        trim: (trim) => call("trim", (log) => log.trim(trim)),
        follow: (afterSeq) => call("follow", (log) => log.follow(afterSeq)),
      };
    });
  }

  /** What a compactor calls; `nowMs` is the clock of the server that it asks. */
  compactionApi(caller: Life, nowMs: () => number): CompactionApi {
    const shards = this.logShards(caller);
    const shardOf = (name: string) => shards.find(({ shard }) => shard === name) as LogAccess;
    const call = <R>(name: string, body: (instance: Publisher) => Promise<R>) =>
      this.#network.call(caller, this.publisher, { name: `publisher ${name}`, body });
    /** The server reads its clock before it passes the request on. */
    const timed = <R>(name: string, body: (instance: Publisher, at: number) => Promise<R>) => {
      const at = nowMs();
      return call(name, (publisher) => body(publisher, at));
    };
    return {
      start: (request) => timed("start", (publisher, at) => publisher.start(request, at)),
      now: () => Promise.resolve(nowMs()),
      home: () => call("home", (publisher) => publisher.home()),
      shards: () => Promise.resolve(shards.map(({ shard }) => shard)),
      readLog: ({ shard, ...range }) => shardOf(shard).read({ ...range, rowsMax: pageRowsMax }),
      trimLog: ({ shard, ...trim }) => shardOf(shard).trim({ ...trim, nowMs: nowMs() }),
      closeBefore: ({ shard, source, beforeMs }) => shardOf(shard).closeBefore(source, beforeMs),
      appendRows: async ({ shard, source, rows }) => {
        const entries = rows.map((row) => ({ ...row, source, offset: null }));
        const { redeliveryHorizonMs } = this.#repository.sources.get(source) as SourceDefinition;
        await shardOf(shard).append(entries, {
          nowMs: nowMs(),
          redeliveryHorizonMs: new Map([[source, redeliveryHorizonMs]]),
        });
      },
      deletions: () => call("deletions", (publisher) => publisher.deletions()),
      finishDeletions: (names) =>
        call("finishDeletions", (publisher) => publisher.finishDeletions(names)),
      erase: (request) => call("erase", (publisher) => publisher.erase(request)),
      publish: (request) => call("publish", (publisher) => publisher.publish(request)),
      finish: (request) => timed("finish", (publisher, at) => publisher.finish(request, at)),
      collect: (request) => timed("collect", (publisher, at) => publisher.collect(request, at)),
      finishCollect: (request) =>
        timed("finishCollect", (publisher, at) => publisher.finishCollect(request, at)),
    };
  }

  get capabilities(): StoreCapabilities {
    return {
      name: "copied",
      binary: true,
      keysPerTripMax: 10_000,
      compareAndSet: false,
      stalenessMsMax: this.batch.stalenessMsMax,
      keyBytesMax: 512,
      valueBytesMax: 2 ** 20,
    };
  }

  #openLog(life: Life, shard: string, log: MemoryEventLog): LogHome {
    const own: EventLogShard = {
      append: (entries, options) => this.#own(life, "append", () => log.append(entries, options)),
      read: (range) => this.#own(life, "read log", () => log.read(range)),
      seal: (seal) => this.#own(life, "seal", () => log.seal(seal)),
      currentEpoch: () => this.#own(life, "currentEpoch", () => log.currentEpoch()),
      epochs: (epochMin) => this.#own(life, "epochs", () => log.epochs(epochMin)),
      appliedSeq: () => this.#own(life, "appliedSeq", () => log.appliedSeq()),
      setAppliedSeq: (seq) => this.#own(life, "setAppliedSeq", () => log.setAppliedSeq(seq)),
      trim: (epoch, options) => this.#own(life, "trim", () => log.trim(epoch, options)),
      follow: (range) => this.#own(life, "follow", () => log.follow(range)),
      closeBefore: (source, beforeMs) =>
        this.#own(life, "closeBefore", () => log.closeBefore(source, beforeMs)),
      viewFloors: (views) => this.#own(life, "viewFloors", () => log.viewFloors(views)),
    };
    const streams = new ShardedStreams(this.#streamHomes(life));
    return new LogHome({ shard, log: own, streams, repository: this.#repository });
  }

  #openStreams(life: Life, store: CopiedStore): StoreStreamHome {
    const { remoteStreams } = this.#network.profile;
    const step = <R>(name: string, body: () => R): Promise<R> => {
      const run = () => Promise.resolve(body());
      if (!remoteStreams) return this.#own(life, name, run);
      return this.#network.callStore(life, { name, body: run });
    };
    const own: OnlineStore = {
      capabilities: { ...this.capabilities, compareAndSet: true, stalenessMsMax: 0 },
      readMany: (keys) => step("read records", () => this.#flipped(store.read(keys))),
      write: (writes) => step("write records", () => store.write(writes, true)),
    };
    return new StoreStreamHome(own, this.#repository);
  }

  #openPublisher(life: Life): Publisher {
    const state: StateTable = {
      get: (key) => this.#own(life, "get state", () => this.state.get(key)),
      list: (prefix, range) => this.#own(life, "list state", () => this.state.list(prefix, range)),
      put: (entries) => this.#own(life, "put state", () => this.state.put(entries)),
    };
    const batchStore: OnlineStore = {
      capabilities: this.capabilities,
      readMany: (keys) =>
        this.#network.callStore(life, {
          name: "read copy",
          body: () => Promise.resolve(this.#flipped(this.batch.readCopy(homeRegion, keys))),
          options: { lateMsMax: 0 },
        }),
      write: (writes) =>
        this.#network.callStore(life, {
          name: "write batch records",
          body: () => Promise.resolve(this.batch.write(writes, false)),
          options: { lateMsMax: this.#network.profile.lateBatchMsMax },
        }),
    };
    const shards = this.logShards(life);
    return new Publisher({
      repository: this.#repository,
      batchStore,
      streams: new ShardedStreams(this.#streamHomes(life)),
      logShards: () => shards,
      state,
    });
  }

  #streamHomes(caller: Life): StreamHome[] {
    return this.streams.map(({ home }, i) => {
      const call = <R>(name: string, body: (instance: StoreStreamHome) => Promise<R>) =>
        this.#network.call(caller, home, { name: `stream-${i} ${name}`, body });
      return {
        capabilities: { keysPerTripMax: Infinity },
        readMany: (keys) => call("readMany", (streams) => streams.readMany(keys)),
        apply: (records, context) => call("apply", (streams) => streams.apply(records, context)),
        collect: (request) => call("collect", (streams) => streams.collect(request)),
        bury: (tombstones) => call("bury", (streams) => streams.bury(tombstones)),
        erase: (request) => call("erase", (streams) => streams.erase(request)),
      };
    });
  }

  #own<R>(life: Life, name: string, body: () => Promise<R>): Promise<R> {
    return this.#network.own(life, name, body);
  }

  /** Bytes as they were stored, but for a bit now and then. */
  #flipped(values: (StoredValue | null)[]): (StoredValue | null)[] {
    const { profile, random, isFaulty } = this.#network;
    if (profile.bitFlip === 0 || !isFaulty) return values;
    for (const value of values) {
      if (value === null || random.next() >= profile.bitFlip) continue;
      const index = random.integer(0, value.bytes.length);
      value.bytes[index] = (value.bytes[index] as number) ^ (1 << random.integer(0, 8));
      this.#network.note("flips a bit of", String(index));
    }
    return values;
  }
}
