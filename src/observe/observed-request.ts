/** A request while it is answered: its route tells what it does, and how long that took comes of it. */

import type { ErrorCode } from "../core/errors.ts";
import type { ServedFeature } from "../serve/answer-service.ts";
import type { ServingHomes } from "../serve/read-views.ts";
import type { ViewAnswer } from "../serve/view-answer.ts";
import type { ServiceMetrics } from "./definition-metrics.ts";
import { countIngest } from "./count-ingest.ts";
import type { IngestedRequest } from "./count-ingest.ts";
import { errorClassOf } from "./error-class.ts";
import { otherLabel } from "./metric-family.ts";
import type { Observation } from "./observation.ts";
import { observeHomes } from "./observed-homes.ts";
import type {
  Phase,
  PhaseName,
  RequestFailure,
  RequestSummary,
  StoreTrip,
} from "./request-summary.ts";
import { writeServerTiming } from "./server-timing.ts";

/** What is known of a request when it comes. */
export interface RequestHeadline {
  readonly method: string;
  readonly traceparent: string | null;
  readonly tracestate: string | null;
}

/** What is known of it when it is answered. */
export interface RequestEnd {
  readonly route: string;
  readonly status: number;
  readonly principalId: string | null;
  readonly requestId: string | null;
}

export class ObservedRequest implements RequestSummary {
  readonly #observation: Observation;
  #service: ServiceMetrics | null = null;
  /** Where the phase that is under way began. */
  #markMs: number;
  readonly #trips: StoreTrip[] = [];
  readonly #phases: Phase[] = [];
  readonly method: string;
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  readonly startMs: number;
  endMs: number;
  route = otherLabel;
  status = 0;
  workspace = otherLabel;
  service = otherLabel;
  principalId: string | null = null;
  requestId: string | null = null;
  rowCount = 0;
  failure: RequestFailure | null = null;

  constructor(observation: Observation, { method, traceparent, tracestate }: RequestHeadline) {
    this.#observation = observation;
    this.method = method;
    this.traceparent = traceparent;
    this.tracestate = tracestate;
    this.startMs = observation.nowMs();
    this.endMs = this.startMs;
    this.#markMs = this.startMs;
  }

  get trips(): readonly StoreTrip[] {
    return this.#trips;
  }

  get phases(): readonly Phase[] {
    return this.#phases;
  }

  /** Once it is known what service a request is for: names of definitions, never those it was sent. */
  beginService(place: { readonly workspace: string; readonly service: string }, rowCount: number) {
    this.workspace = place.workspace;
    this.service = place.service;
    this.rowCount = rowCount;
    this.#service = this.#observation.serviceMetrics(place);
  }

  /** The time on the observation's timer, in milliseconds. */
  nowMs(): number {
    return this.#observation.nowMs();
  }

  /** The homes as this request is to read them. */
  homesOf(homes: ServingHomes): ServingHomes {
    return observeHomes(homes, {
      nowMs: this.#observation.nowMs,
      onTrip: (trip) => this.#endTrip(trip),
    });
  }

  /** Once records are read and combined. @param rows - The answers of each row. */
  endRead(rows: readonly (readonly ViewAnswer[])[], nowMs: number): void {
    this.#endStore();
    this.#endPhase("combine");
    for (const answers of rows) this.#service?.measureAges(answers, nowMs);
  }

  /** Once on-demand views have run. @param rows - The features of each row. */
  endTransform(rows: readonly (readonly ServedFeature[])[]): void {
    this.#endPhase("transform");
    for (const features of rows) this.#service?.countFeatures(features);
  }

  /** Once events are in their log, or are not. */
  endIngest(ingested: IngestedRequest): void {
    this.workspace = ingested.workspace;
    countIngest(this.#observation.metrics, ingested);
  }

  /** The first failure is told of. */
  fail(code: ErrorCode, error: unknown): void {
    this.failure ??= { code, errorClass: errorClassOf(error) };
  }

  /** Once the answer is written: its `Server-Timing`, null where no features were answered. */
  endAnswer(): string | null {
    if (this.#phases.at(-1)?.name !== "transform") return null;
    this.#endPhase("encode");
    return writeServerTiming(this.#phases, { startMs: this.startMs, endMs: this.#markMs });
  }

  /** To be called once, in the end. */
  end({ route, status, principalId, requestId }: RequestEnd): void {
    this.route = route;
    this.status = status;
    this.principalId = principalId;
    this.requestId = requestId;
    this.endMs = this.#observation.nowMs();
    if (this.#service !== null && status === 200) {
      this.#service.measure(this.#phases, this.rowCount);
    }
    this.#observation.record(this);
  }

  /** It began where the one before it ended. */
  #endPhase(name: Exclude<PhaseName, "store">): void {
    const endMs = this.#observation.nowMs();
    this.#phases.push({ name, startMs: this.#markMs, endMs });
    this.#markMs = endMs;
  }

  #endTrip(trip: StoreTrip): void {
    this.#trips.push(trip);
    this.#observation.homeMetrics(this.workspace, trip.home).measure(trip);
  }

  /** From the first call to the last answer: homes are asked at the same time. */
  #endStore(): void {
    if (this.#trips.length === 0) return;
    let startMs = Infinity;
    let endMs = -Infinity;
    for (const trip of this.#trips) {
      startMs = Math.min(startMs, trip.startMs);
      endMs = Math.max(endMs, trip.endMs);
    }
    this.#phases.push({ name: "store", startMs, endMs });
    this.#markMs = endMs;
  }
}
