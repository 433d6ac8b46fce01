/** What watches over the requests of an app: counts them, and tells of them to logs and traces. */

import { limits } from "../core/limits.ts";
import { HomeMetrics, ServiceMetrics, ViewMetrics } from "./definition-metrics.ts";
import type { Place } from "./definition-metrics.ts";
import { ObservedRequest } from "./observed-request.ts";
import type { RequestHeadline } from "./observed-request.ts";
import { isFailure, logRecordOf, writeLogLine } from "./request-log.ts";
import type { RequestLogOptions } from "./request-log.ts";
import type { HomeName, RequestSummary } from "./request-summary.ts";
import type { Counter, Histogram } from "./series.ts";
import { createServingMetrics } from "./serving-metrics.ts";
import type { ServingMetrics } from "./serving-metrics.ts";
import type { Tracing } from "./tracing.ts";

/** All may be left out: requests are counted then, and told of to nobody. */
export interface ObserveOptions {
  /**
   * Milliseconds since 1970 on a steady clock, with fractions, for measuring durations. On Workers it
   * stands still between calls. The app's clock if left out, which counts whole ones.
   */
  readonly timer?: () => number;
  /** Where others count too; one of its own if left out. */
  readonly metrics?: ServingMetrics;
  readonly log?: RequestLogOptions;
  readonly tracing?: Tracing;
}

export interface ObservationParts extends ObserveOptions {
  readonly clock: { now(): number };
  /** In [0, 1). */
  readonly random: () => number;
}

/** What all requests of one route, workspace and service have in common. */
interface RouteMetrics {
  readonly duration: Histogram;
  readonly statuses: Map<number, Counter>;
}

export class Observation {
  readonly metrics: ServingMetrics;
  readonly nowMs: () => number;
  readonly #parts: ObservationParts;
  /** In the order in which they came. */
  readonly #inFlight = new Set<ObservedRequest>();
  readonly #routes = new Map<string, RouteMetrics>();
  readonly #services = new Map<string, ServiceMetrics>();
  readonly #views = new Map<string, ViewMetrics>();
  readonly #homes = new Map<string, HomeMetrics>();

  constructor(parts: ObservationParts) {
    this.#parts = parts;
    this.nowMs = parts.timer ?? (() => parts.clock.now());
    this.metrics = parts.metrics ?? createServingMetrics(parts.clock.now());
  }

  begin(headline: RequestHeadline): ObservedRequest {
    const request = new ObservedRequest(this, headline);
    this.#forgetDropped(request.startMs);
    this.#inFlight.add(request);
    return request;
  }

  /** A request that is over. */
  record(request: ObservedRequest): void {
    this.#inFlight.delete(request);
    const { duration, statuses } = this.#routeMetrics(request);
    duration.observe((request.endMs - request.startMs) / 1_000);
    let counter = statuses.get(request.status);
    if (counter === undefined) {
      const { route, workspace, service, status } = request;
      counter = this.metrics.requests.of(route, workspace, service, String(status));
      statuses.set(status, counter);
    }
    counter.add(1);
    if (request.failure !== null) {
      this.metrics.requestErrors.of(request.route, request.failure.code).add(1);
    }
    this.#tell(request);
  }

  /** To be called before metrics are written. */
  measureInFlight(): void {
    this.#forgetDropped(this.nowMs());
    this.metrics.requestsInFlight.of().set(this.#inFlight.size);
  }

  serviceMetrics({ workspace, service: name }: { workspace: string; service: string }) {
    const views = (view: string) => this.viewMetrics({ workspace, name: view });
    return getOrCreate(
      this.#services,
      `${workspace} ${name}`,
      () => new ServiceMetrics(this.metrics, { workspace, name }, views),
    );
  }

  viewMetrics(place: Place): ViewMetrics {
    const create = () => new ViewMetrics(this.metrics, place);
    return getOrCreate(this.#views, `${place.workspace} ${place.name}`, create);
  }

  homeMetrics(workspace: string, home: HomeName): HomeMetrics {
    const create = () => new HomeMetrics(this.metrics, workspace, home);
    return getOrCreate(this.#homes, `${workspace} ${home}`, create);
  }

  #tell(summary: RequestSummary): void {
    const { log, tracing, random } = this.#parts;
    const traceId = tracing?.record(summary) ?? null;
    if (log === undefined) return;
    const { requestShare = 0 } = log;
    if (isFailure(summary) || (requestShare > 0 && random() < requestShare)) {
      log.write(writeLogLine(logRecordOf(summary, traceId)));
    }
  }

  #routeMetrics({ route, workspace, service }: RequestSummary): RouteMetrics {
    return getOrCreate(this.#routes, `${route} ${workspace} ${service}`, () => ({
      duration: this.metrics.requestDuration.of(route, workspace, service),
      statuses: new Map(),
    }));
  }

  /** A host that drops a request never tells of its end. */
  #forgetDropped(nowMs: number): void {
    for (const oldest of this.#inFlight) {
      if (nowMs - oldest.startMs <= limits.requestMsMax) break;
      this.#inFlight.delete(oldest);
    }
  }
}

/** What names it are names of definitions and patterns of routes, so there are so many and no more. */
function getOrCreate<T>(known: Map<string, T>, name: string, create: () => T): T {
  let found = known.get(name);
  if (found === undefined) known.set(name, (found = create()));
  return found;
}
