/** One run of the simulation: everything of it follows from its seed and its profile. */

import { limits } from "../../src/core/limits.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import { MemoryOfflineStore } from "../builders/memory-offline-store.ts";
import type { FeatureDefinition, Repository, ViewDefinition } from "../../src/define/definition.ts";
import type { CompactionOptions } from "../../src/compact/compact-views.ts";
import type { FeatureAnswer, FeatureFault } from "../../src/serve/view-answer.ts";
import { Network } from "./actors.ts";
import { checkFeature, idOf } from "./check-answer.ts";
import type { CheckedRead, Failure } from "./check-answer.ts";
import { Clocks } from "./clocks.ts";
import { Cluster, regionCount } from "./cluster.ts";
import { runCompaction } from "./compactors.ts";
import type { CompactionOutcome } from "./compactors.ts";
import { act, writeHistory } from "./operators.ts";
import { emptyCounts } from "./counts.ts";
import type { Counts } from "./counts.ts";
import { lifetimeOfUser, repositoryMasks, repositoryOf } from "./id-views.ts";
import { Model } from "./model.ts";
import type { SimEvent } from "./model.ts";
import { drawProfile, promisesAvailability } from "./profile.ts";
import type { Profile, ProfileName } from "./profile.ts";
import { readOnce } from "./readers.ts";
import type { ReadTarget, ReaderParts } from "./readers.ts";
import { Scheduler } from "./scheduler.ts";
import { sendEvents } from "./senders.ts";
import type { Accepted, SenderParts } from "./senders.ts";
import { settle } from "./settle.ts";
import { TraceWriter } from "./trace.ts";
import { drawWorkload, endMs, otherBody, readsOfRequestMax, startMs } from "./workload.ts";

export interface SeedOptions {
  /** Null draws one. */
  readonly profile?: ProfileName | null;
  /** Keeps what happened, as text. */
  readonly isTraced?: boolean;
  /** Takes the lines of the trace for programs. */
  readonly onTrace?: (line: string) => void;
}

export interface SeedResult {
  readonly seed: number;
  readonly profile: ProfileName;
  readonly failures: readonly Failure[];
  readonly counts: Counts;
  readonly hash: number;
  readonly steps: number;
  readonly lines: readonly string[];
}

/** Far more than a run has: one that reaches it does not end. */
const stepsMax = 60_000;
const compactionAttemptsMax = 3;

/** Runs a seed to its end, or to the first failure that stops it. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SeedResult> {
  const run = new SeedRun(seed, options);
  await run.run();
  return run.result();
}

export class SeedRun {
  readonly seed: number;
  readonly random: Random;
  readonly profile: Profile;
  readonly scheduler = new Scheduler(startMs, stepsMax);
  readonly network: Network;
  readonly clocks: Clocks;
  readonly repository: Repository;
  readonly cluster: Cluster;
  readonly offline = new MemoryOfflineStore();
  readonly model = new Model();
  readonly counts = emptyCounts();
  readonly failures: Failure[] = [];
  readonly trace: TraceWriter;
  /** By view, the cuts that compactions have finished. */
  readonly finishedCuts = new Map<string, number[]>();
  /** How many loads there are. */
  loads = 0;

  constructor(seed: number, { profile = null, isTraced = false, onTrace }: SeedOptions) {
    this.seed = seed;
    // Neighbouring seeds would begin alike.
    this.random = randomFrom(Math.imul(seed, 0x9e3779b1) ^ (seed >>> 7));
    this.profile = drawProfile(this.random, profile);
    const { random, scheduler } = this;
    this.network = new Network({ scheduler, random, profile: this.profile, isTraced });
    const isJumpy = this.profile.jumpyClocks;
    this.clocks = new Clocks({ scheduler, random, isJumpy, endMs });
    this.repository = repositoryOf(random.integer(0, repositoryMasks));
    this.cluster = new Cluster({
      network: this.network,
      repository: this.repository,
      logShardCount: random.integer(1, 4),
      streamShardCount: random.integer(1, 3),
    });
    this.trace = new TraceWriter({ seed, scheduler, onTrace: onTrace ?? null });
  }

  get views(): readonly ViewDefinition[] {
    return [...this.repository.views.values()];
  }

  async run(): Promise<void> {
    try {
      this.#schedule();
      await this.scheduler.run();
      await settle(this);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const kind = text.includes("steps and no end") ? "endless" : "internal";
      this.fail({ kind, atMs: this.scheduler.nowMs, what: text, expected: [], found: [] });
    }
    for (const what of this.network.internal) {
      this.fail({ kind: "internal", atMs: this.scheduler.nowMs, what, expected: [], found: [] });
    }
  }

  result(): SeedResult {
    const { seed, counts, failures, scheduler, network } = this;
    counts.seeds = 1;
    counts.faults = network.faults;
    counts.crashes = network.crashes;
    return {
      seed,
      profile: this.profile.name,
      failures,
      counts,
      hash: scheduler.hash,
      steps: scheduler.steps,
      lines: network.lines ?? [],
    };
  }

  fail(failure: Failure): void {
    this.failures.push(failure);
    this.network.note("FAILS:", `${failure.kind} ${failure.what}`);
  }

  /** Code of the simulator that no event waits for: what it throws ends the run. */
  spawn(body: () => Promise<unknown>): void {
    body().catch((error: unknown) => {
      this.scheduler.fail(error instanceof Error ? error : new Error(String(error)));
    });
  }

  get readerParts(): ReaderParts {
    const { network, cluster, clocks } = this;
    return {
      network,
      cluster,
      clocks,
      onAnswer: (read, feature, answer) => this.judge(read, feature, answer),
      onUnavailable: () => {
        this.counts.unavailable += 1;
      },
    };
  }

  judge(read: CheckedRead, feature: FeatureDefinition, answer: FeatureAnswer): void {
    const { counts, scheduler } = this;
    counts.reads += 1;
    if (answer.degraded !== null) counts.degraded += 1;
    if (answer.fault?.code === "GAP") counts.gaps += 1;
    if (answer.fault?.code === "CORRUPT_RECORD") counts.corrupt += 1;
    const found = (answer.value ?? []) as readonly string[];
    for (const tag of found) scheduler.mix(hashOf(tag));
    scheduler.mix(found.length);
    this.trace.read(read, feature, answer);
    const failure = checkFeature(this.model, read, { feature, answer });
    if (failure !== null) this.fail(failure);
    if (answer.fault?.code === "GAP" && this.#isPromised(answer.fault)) {
      const what = `${answer.fault.message}: view ${read.view.name}, entity ${read.entity}, region ${read.region}, from ${read.startedMs}`;
      this.fail({ kind: "unavailable", atMs: read.endedMs, what, expected: [], found: [] });
    }
  }

  /**
   * Whether there should have been a number. After a rollback the stream answers for epochs past
   * their horizon, and the batch record may not reach back as far as their tiles do.
   */
  #isPromised({ message }: FeatureFault): boolean {
    if (!promisesAvailability(this.profile)) return false;
    return message.startsWith("The copy of the batch record") || this.counts.rollbacks === 0;
  }

  async compact(
    request: CompactionOptions & { readonly views: readonly string[] },
  ): Promise<CompactionOutcome> {
    const { network, cluster, clocks, offline, repository, scheduler, finishedCuts } = this;
    this.counts.compactions += 1;
    const fromMs = scheduler.nowMs;
    const isRollback = request.rollbackCut !== undefined;
    const watermarkMs = isRollback ? null : writeHistory(this, request.views);
    const parts = { network, cluster, clocks, offline, repository };
    const outcome = await runCompaction(parts, {
      ...request,
      ...(watermarkMs === null ? {} : { watermarkMs }),
    });
    if (outcome.kind !== "finished") return outcome;
    for (const { view, cut, resumed } of outcome.summaries) {
      finishedCuts.set(view, [...(finishedCuts.get(view) ?? []), cut]);
      if (resumed || isRollback) continue;
      this.model.cover(view, { fromMs, nowMs: scheduler.nowMs });
    }
    return outcome;
  }

  #schedule(): void {
    const { random, scheduler, model, repository } = this;
    const workload = drawWorkload(random, repository, model);
    for (const { atMs, region, events, againMs } of workload.requests) {
      scheduler.at(atMs, "send", () => this.spawn(() => this.send(events, region)));
      for (const repeatMs of againMs) {
        const some = random.next() < 0.5 ? events : [random.pick(events)];
        scheduler.at(repeatMs, "send again", () => this.spawn(() => this.send(some, region)));
      }
    }
    for (const { atMs, views } of workload.compactions) {
      scheduler.at(atMs, "compact", () => this.spawn(() => this.#keepCompacting(views)));
    }
    for (const { atMs, action } of workload.actions) {
      scheduler.at(atMs, action, () => this.spawn(() => act(this, action)));
    }
    for (const { atMs, region } of workload.reads) {
      this.#readAt(atMs - this.clocks.offsetMs(`reader ${region}`), region);
    }
    for (const { original, delayMs } of workload.conflicts) {
      const body = otherBody(random, original);
      const first = workload.requests.find(({ events }) => events.includes(original));
      const atMs = (first as { atMs: number }).atMs + delayMs;
      scheduler.at(atMs, "conflict", () => this.spawn(() => this.#sendConflict(original, body)));
    }
  }

  #readAt(atMs: number, region: number): void {
    this.scheduler.at(atMs, "read", () =>
      this.spawn(() => readOnce(this.readerParts, this.#drawTargets(), region)),
    );
  }

  #drawTargets(): ReadTarget[] {
    const count = this.random.integer(1, readsOfRequestMax + 1);
    return Array.from({ length: count }, () => {
      const view = this.random.pick(this.views);
      const entities = this.model.entitiesOf(view);
      const entity = entities.length > 0 ? this.random.pick(entities) : "nobody-0000";
      return { view, entity };
    });
  }

  send(events: readonly SimEvent[], region: number): Promise<void> {
    return sendEvents(this.#senderParts(), events, region);
  }

  /** Another body under a known id may not count; where none is known yet, either may. */
  #sendConflict(original: SimEvent, body: SimEvent): Promise<void> {
    const isKnown = original.ackedMs <= this.scheduler.nowMs && !original.isOpen;
    if (!isKnown && (original.isSettled || original.loadedMs < Infinity)) return Promise.resolve();
    if (!isKnown) {
      original.isOpen = true;
      body.isOpen = true;
      this.model.add(body);
    }
    return this.send([body], this.random.integer(0, regionCount));
  }

  #senderParts(): SenderParts {
    const { network, cluster, clocks, random, repository } = this;
    return {
      network,
      cluster,
      clocks,
      random,
      repository,
      onAccepted: (events, outcome, region) => this.#accept(events, outcome, region),
      onRetry: () => {
        this.counts.retries += 1;
      },
    };
  }

  #accept(events: readonly SimEvent[], outcome: Accepted, region: number): void {
    const { nowMs } = this.scheduler;
    this.counts.acks += events.length;
    const conflictCount = outcome.sources.reduce((sum, each) => sum + each.conflictCount, 0);
    for (const event of events) {
      const known = this.model.events.get(event.tag);
      if (known === undefined) {
        if (conflictCount === 0) this.#failConflict(event);
        continue;
      }
      // With other bodies of their ids about, the answer does not say which of them came first.
      if (known.isOpen || conflictCount > 0) continue;
      if (known.ackedMs === Infinity && this.model.goneMs(known) === Infinity) {
        known.ackedMs = nowMs;
        this.trace.ack(known, { region, freshnessMs: this.freshnessMsMax });
      }
    }
  }

  get freshnessMsMax(): number {
    const regions = Array.from({ length: regionCount }, (_, i) => i);
    return Math.max(...regions.map((each) => this.cluster.freshnessMs(lifetimeOfUser, each)));
  }

  #failConflict({ tag, id }: SimEvent): void {
    const what = `body ${tag} was taken for new, while ${id} was acknowledged`;
    this.fail({ kind: "double", atMs: this.scheduler.nowMs, what, expected: [id], found: [tag] });
  }

  async #keepCompacting(views: readonly string[]): Promise<void> {
    for (let attempt = 0; attempt < compactionAttemptsMax; attempt++) {
      const outcome = await this.compact({ views });
      if (outcome.kind === "finished") return this.#lookClosely(views);
      await this.scheduler.sleep(this.random.integer(100, 60_000));
    }
  }

  /** Right after a compaction copies are old and graces are about to end. */
  #lookClosely(views: readonly string[]): void {
    const { random, scheduler } = this;
    const { nowMs } = scheduler;
    if (random.next() < 0.5) return;
    const graceMs = this.cluster.batch.stalenessMsMax + 2 * limits.clockErrorMsMax;
    const againMs = nowMs + random.integer(0, graceMs);
    if (nowMs < endMs && random.next() < 0.5) {
      scheduler.at(againMs, "compact", () => this.spawn(() => this.#keepCompacting(views)));
    }
    for (let i = 0; i < 2; i++) {
      this.#readAt(againMs + random.integer(0, 20_000), random.integer(0, regionCount));
    }
  }
}

function hashOf(tag: string): number {
  let hash = 0;
  for (let i = 0; i < tag.length; i++) hash = (Math.imul(hash, 31) + tag.charCodeAt(i)) | 0;
  return hash;
}

export { idOf };
