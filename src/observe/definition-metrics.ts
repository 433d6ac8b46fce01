/** The series of one view, service or home: looked up once, then kept. */

import type { ViewAnswer } from "../serve/view-answer.ts";
import type { ServedFeature } from "../serve/answer-service.ts";
import type { HomeName, Phase, PhaseName, StoreTrip } from "./request-summary.ts";
import type { Counter, Histogram } from "./series.ts";
import type { ServingMetrics } from "./serving-metrics.ts";

/** What series are of: a workspace, and the name of a definition in it. */
export interface Place {
  readonly workspace: string;
  readonly name: string;
}

/** Of an aggregate or an on-demand view. */
export class ViewMetrics {
  readonly #metrics: ServingMetrics;
  readonly #place: Place;
  readonly #statuses = new Map<string, Counter>();
  readonly #reasons = new Map<string, Counter>();
  #batchRecordAge: Histogram | null = null;

  constructor(metrics: ServingMetrics, place: Place) {
    this.#metrics = metrics;
    this.#place = place;
  }

  countFeature({ answer, staleness }: ServedFeature): void {
    this.#countStatus(answer.status);
    if (staleness !== null) this.#countReason("stale");
    if (answer.degraded !== null) this.#countReason("degraded");
    if (answer.fault !== null) this.#countReason(answer.fault.code.toLowerCase());
  }

  /** An answer that no batch record went into has no age. */
  measureAge({ batchWatermarkMs }: ViewAnswer, nowMs: number): void {
    if (batchWatermarkMs === undefined) return;
    const { workspace, name } = this.#place;
    this.#batchRecordAge ??= this.#metrics.batchRecordAge.of(workspace, name);
    this.#batchRecordAge.observe((nowMs - batchWatermarkMs) / 1_000);
  }

  #countStatus(status: string): void {
    let counter = this.#statuses.get(status);
    if (counter === undefined) {
      counter = this.#metrics.features.of(this.#place.workspace, this.#place.name, status);
      this.#statuses.set(status, counter);
    }
    counter.add(1);
  }

  #countReason(reason: string): void {
    let counter = this.#reasons.get(reason);
    if (counter === undefined) {
      counter = this.#metrics.flaggedFeatures.of(this.#place.workspace, this.#place.name, reason);
      this.#reasons.set(reason, counter);
    }
    counter.add(1);
  }
}

export class ServiceMetrics {
  readonly #views: (name: string) => ViewMetrics;
  readonly #phases: Readonly<Record<PhaseName, Histogram>>;
  readonly #rows: Histogram;
  /** By the place of a feature in the service's answers, which is the same in all of them. */
  #viewOfFeature: readonly ViewMetrics[] = [];

  constructor(
    metrics: ServingMetrics,
    { workspace, name }: Place,
    views: (name: string) => ViewMetrics,
  ) {
    const phase = (phaseName: PhaseName) => metrics.phaseDuration.of(workspace, name, phaseName);
    this.#views = views;
    this.#phases = {
      store: phase("store"),
      combine: phase("combine"),
      transform: phase("transform"),
      encode: phase("encode"),
    };
    this.#rows = metrics.requestRows.of(workspace, name);
  }

  measure(phases: readonly Phase[], rowCount: number): void {
    for (const phase of phases) measureIn(this.#phases[phase.name], phase);
    this.#rows.observe(rowCount);
  }

  /** @param answers - Of one row. */
  measureAges(answers: readonly ViewAnswer[], nowMs: number): void {
    for (const answer of answers) this.#views(answer.view.name).measureAge(answer, nowMs);
  }

  /** @param features - Of one row. */
  countFeatures(features: readonly ServedFeature[]): void {
    if (this.#viewOfFeature.length !== features.length) {
      this.#viewOfFeature = features.map(({ name }) => this.#views(viewOf(name)));
    }
    for (let i = 0; i < features.length; i++) {
      (this.#viewOfFeature[i] as ViewMetrics).countFeature(features[i] as ServedFeature);
    }
  }
}

/** One home of a workspace's records. */
export class HomeMetrics {
  readonly #duration: Histogram;
  readonly #calls: Counter;
  readonly #keys: Counter;
  readonly #bytes: Counter;
  readonly #failures: Counter;
  readonly #staleReads: Counter;

  constructor(metrics: ServingMetrics, workspace: string, home: HomeName) {
    this.#duration = metrics.storeReadDuration.of(workspace, home);
    this.#calls = metrics.storeCalls.of(workspace, home);
    this.#keys = metrics.storeKeys.of(workspace, home);
    this.#bytes = metrics.storeReadBytes.of(workspace, home);
    this.#failures = metrics.storeReadFailures.of(workspace, home);
    this.#staleReads = metrics.storeStaleReads.of(workspace, home);
  }

  measure(trip: StoreTrip): void {
    measureIn(this.#duration, trip);
    this.#calls.add(trip.callCount);
    this.#keys.add(trip.keyCount);
    this.#bytes.add(trip.sizeBytes);
    if (trip.outcome === "failed") this.#failures.add(1);
    if (trip.outcome === "stale") this.#staleReads.add(1);
  }
}

function measureIn(histogram: Histogram, { startMs, endMs }: { startMs: number; endMs: number }) {
  histogram.observe((endMs - startMs) / 1_000);
}

/** Of `{view}.{feature}`. */
function viewOf(featureName: string): string {
  return featureName.slice(0, featureName.indexOf("."));
}
