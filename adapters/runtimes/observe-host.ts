/** How a server or a worker watches over itself: on the host's steady clock, with its console for a log. */

import type { Clock } from "../../src/core/clock.ts";
import { FeatureError } from "../../src/core/errors.ts";
import { formatInstant } from "../../src/core/instant.ts";
import { errorClassOf } from "../../src/observe/error-class.ts";
import type { ObserveOptions } from "../../src/observe/observation.ts";
import { writeLogLine } from "../../src/observe/request-log.ts";
import type { HomeName } from "../../src/observe/request-summary.ts";
import { createServingMetrics } from "../../src/observe/serving-metrics.ts";
import type { Tracing } from "../../src/observe/tracing.ts";
import type { ReaderEvent } from "../../src/store/resilient/reader-event.ts";

export interface WatchOptions {
  /**
   * The share of requests that get a log line, from 0 to 1; 0 if left out. What fails on this side
   * gets one always. Lines hold no key, no value and no text of an error.
   */
  readonly requestLogShare?: number;
  /** Makes spans of requests, as `openTelemetryTracing` of `tilemark/tracing` does. */
  readonly tracing?: Tracing;
  /** Told of failures with all that they say, which may be keys and values. */
  readonly onError?: (error: unknown, context: { readonly route: string }) => void;
}

export interface HostWatch {
  readonly observe: ObserveOptions;
  readonly report: (error: unknown, context: { readonly route: string }) => void;
  readonly onReaderEvent: (home: HomeName, event: ReaderEvent) => void;
  /** Tells of what failed beside requests. @param event - As "follow". */
  readonly fail: (event: string, error: unknown) => void;
}

export function watchHost(clock: Clock, options: WatchOptions): HostWatch {
  const { requestLogShare = 0, tracing, onError } = options;
  const metrics = createServingMetrics(clock.now());
  const originMs = performance.timeOrigin;
  return {
    observe: {
      timer: () => originMs + performance.now(),
      metrics,
      log: { requestShare: requestLogShare, write: writeLine },
      ...(tracing !== undefined && { tracing }),
    },
    report: (error, context) => onError?.(error, context),
    onReaderEvent: (home, { source, kind }) => metrics.storeEvents.of(home, source, kind).add(1),
    fail: (event, error) => {
      logFailure(event, error);
      onError?.(error, { route: event });
    },
  };
}

/** A line of what failed beside requests. @param event - As "follow". */
export function logFailure(event: string, error: unknown): void {
  const code = error instanceof FeatureError ? error.code : "INTERNAL";
  const ts = formatInstant(Date.now());
  writeLine(writeLogLine({ ts, level: "error", event, code, error_class: errorClassOf(error) }));
}

function writeLine(line: string): void {
  console.error(line);
}
