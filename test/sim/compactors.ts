/** Compactors: processes that run a compaction, crash, stand still, meet each other and try again. */

import { compactViews } from "../../src/compact/compact-views.ts";
import type { CompactionOptions, CompactionSummary } from "../../src/compact/compact-views.ts";
import type { Repository } from "../../src/define/definition.ts";
import type { OfflineStore } from "../../src/offline/offline-store.ts";
import { Life, end } from "./actors.ts";
import type { Network } from "./actors.ts";
import type { Clocks } from "./clocks.ts";
import type { Cluster } from "./cluster.ts";

export interface CompactorParts {
  readonly network: Network;
  readonly cluster: Cluster;
  readonly clocks: Clocks;
  readonly offline: OfflineStore;
  readonly repository: Repository;
}

export type CompactionOutcome =
  | { readonly kind: "finished"; readonly summaries: readonly CompactionSummary[] }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "crashed" };

/** One process, from its start to its end. */
export function runCompaction(
  parts: CompactorParts,
  request: CompactionOptions & { readonly views: readonly string[] },
): Promise<CompactionOutcome> {
  const { network, cluster, clocks, repository } = parts;
  return new Promise((resolve) => {
    const life: Life = new Life("compactor", {
      onCrash: () => {
        end(life);
        resolve({ kind: "crashed" });
      },
      crashChance: network.profile.compactorCrash,
      pauseChance: network.profile.pause,
    });
    const api = cluster.compactionApi(life, () => clocks.now("admin"));
    const offline = offlineOf(parts.offline, { network, life });
    network.note("compaction of", request.views.join(" "));
    compactViews({ api, offline, repository }, request).then(
      (summaries) => resolve({ kind: "finished", summaries }),
      (error: unknown) => {
        network.note("compaction fails:", String(error));
        resolve({ kind: "failed", error });
      },
    );
  });
}

/** The compactor's own files: each step is whole or not at all. */
function offlineOf(
  store: OfflineStore,
  { network, life }: { readonly network: Network; readonly life: Life },
): OfflineStore {
  const step = <R>(name: string, body: () => Promise<R>) => network.own(life, name, body);
  async function* steps<T>(name: string, body: () => AsyncIterable<T>): AsyncGenerator<T> {
    await step(name, () => Promise.resolve());
    yield* body();
  }
  return {
    identity: () => step("identity", () => store.identity()),
    home: () => step("home", () => store.home()),
    setHome: (home) => step("setHome", () => store.setHome(home)),
    hasSegment: (name) => step("hasSegment", () => store.hasSegment(name)),
    putSegment: (name, rows) => step("putSegment", () => store.putSegment(name, rows)),
    putCorrections: (source, corrections) =>
      step("putCorrections", () => store.putCorrections(source, corrections)),
    putDeletions: (deletions) => step("putDeletions", () => store.putDeletions(deletions)),
    purge: (views) => step("purge", () => store.purge(views)),
    deletedEntities: (view) => steps("deletedEntities", () => store.deletedEntities(view)),
    forgetPublished: (view, entities) =>
      step("forgetPublished", () => store.forgetPublished(view, entities)),
    newLoads: (source) => step("newLoads", () => store.newLoads(source)),
    recentRows: (load, fromMs) => steps("recentRows", () => store.recentRows(load, fromMs)),
    registerLoad: (load, epoch) => step("registerLoad", () => store.registerLoad(load, epoch)),
    scan: (request) => steps("scan", () => store.scan(request)),
    estimateRows: (request) => step("estimateRows", () => store.estimateRows(request)),
    entitiesOf: (view, epochs) => steps("entitiesOf", () => store.entitiesOf(view, epochs)),
    putPublished: (request) => step("putPublished", () => store.putPublished(request)),
    vanishedEntities: (request) => steps("vanishedEntities", () => store.vanishedEntities(request)),
  };
}
