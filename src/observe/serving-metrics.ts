/** Everything that a server measures of itself, by name. Base units: seconds and bytes. */

import { counterFamily, gaugeFamily, histogramFamily } from "./metric-family.ts";
import type { MetricFamily } from "./metric-family.ts";
import { version } from "./version.ts";

/** From in-memory answers to a deadline, in seconds. */
const durations = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5,
];

/** From an event that has just happened to one of last month, in seconds. */
const ages = [0.1, 1, 5, 15, 60, 300, 900, 3_600, 21_600, 86_400, 172_800, 604_800, 2_592_000];

const rowCounts = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000];

export type ServingMetrics = ReturnType<typeof createServingMetrics>;

/** One for a process. @param startedAtMs - When that began to count. */
export function createServingMetrics(startedAtMs: number) {
  const metrics = {
    ...httpFamilies(),
    ...featureFamilies(),
    ...storeFamilies(),
    ...cacheFamilies(),
    ...ingestFamilies(),
    ...collectedFamilies(),
    ...processFamilies(),
  };
  metrics.buildInfo.of(version).set(1);
  metrics.startTimestamp.of().set(startedAtMs / 1_000);
  return metrics;
}

/** In the order in which they are written. */
export function familiesOf(metrics: ServingMetrics): readonly MetricFamily[] {
  return Object.values(metrics);
}

/** `service` and `workspace` are those of definitions, "other" for any else; `route` is a pattern. */
function httpFamilies() {
  return {
    requests: counterFamily({
      name: "tilemark_http_requests",
      help: "Requests answered, by status",
      labels: ["route", "workspace", "service", "status"],
    }),
    requestDuration: histogramFamily(
      {
        name: "tilemark_http_request_duration_seconds",
        help: "From a request's arrival to its answer",
        unit: "seconds",
        labels: ["route", "workspace", "service"],
      },
      durations,
    ),
    requestErrors: counterFamily({
      name: "tilemark_http_errors",
      help: "Requests that failed, by the error's code; OVERLOADED ones were shed",
      labels: ["route", "code"],
    }),
    accessRefusals: counterFamily({
      name: "tilemark_access_refusals",
      help: "Requests whose credentials were not taken, by reason",
      labels: ["reason"],
    }),
    requestsInFlight: gaugeFamily({
      name: "tilemark_http_requests_in_flight",
      help: "Requests being answered now",
      labels: [],
    }),
  };
}

function featureFamilies() {
  return {
    requestRows: histogramFamily(
      {
        name: "tilemark_request_rows",
        help: "Vectors in a request for features",
        labels: ["workspace", "service"],
      },
      rowCounts,
    ),
    phaseDuration: histogramFamily(
      {
        name: "tilemark_request_phase_duration_seconds",
        help: "What a request for features spent its time on: store, combine, transform, encode",
        unit: "seconds",
        labels: ["workspace", "service", "phase"],
      },
      durations,
    ),
    features: counterFamily({
      name: "tilemark_features",
      help: "Features answered, by view and status",
      labels: ["workspace", "view", "status"],
    }),
    flaggedFeatures: counterFamily({
      name: "tilemark_features_flagged",
      help: "Features that are not what they should be: stale, degraded, or without a value for a fault",
      labels: ["workspace", "view", "reason"],
    }),
    batchRecordAge: histogramFamily(
      {
        name: "tilemark_batch_record_age_seconds",
        help: "From the watermark of an answered batch record to the request",
        unit: "seconds",
        labels: ["workspace", "view"],
      },
      ages,
    ),
  };
}

/** `home` is batch, stream or region; shared where one store is several of them. */
function storeFamilies() {
  const labels = ["workspace", "home"];
  return {
    storeReadDuration: histogramFamily(
      {
        name: "tilemark_store_read_duration_seconds",
        help: "What a request waited for one home of its records",
        unit: "seconds",
        labels,
      },
      durations,
    ),
    storeCalls: counterFamily({
      name: "tilemark_store_calls",
      help: "Calls that reads made, without hedges and retries",
      labels,
    }),
    storeKeys: counterFamily({ name: "tilemark_store_keys", help: "Keys read", labels }),
    storeReadBytes: counterFamily({
      name: "tilemark_store_read_bytes",
      help: "Bytes of the records read",
      unit: "bytes",
      labels,
    }),
    storeReadFailures: counterFamily({
      name: "tilemark_store_read_failures",
      help: "Reads that no store answered",
      labels,
    }),
    storeStaleReads: counterFamily({
      name: "tilemark_store_stale_reads",
      help: "Reads answered with what a replica or a cache held, which may be old",
      labels,
    }),
    storeEvents: counterFamily({
      name: "tilemark_store_events",
      help: "What resilient reads did: attempt, hedge, failover, retry, open, halfOpen, close, stale",
      labels: ["home", "source", "kind"],
    }),
  };
}

/** Of the serving cache that a workspace has in this process. */
function cacheFamilies() {
  const labels = ["workspace"];
  return {
    cacheLookups: counterFamily({
      name: "tilemark_serving_cache_lookups",
      help: "Answers looked for in the serving cache: hit or miss",
      labels: ["workspace", "outcome"],
    }),
    cacheEvictions: counterFamily({
      name: "tilemark_serving_cache_evictions",
      help: "Answers that had to make room for others in the serving cache",
      labels,
    }),
    cacheEntries: gaugeFamily({
      name: "tilemark_serving_cache_entries",
      help: "Answers in the serving cache",
      labels,
    }),
    cacheSize: gaugeFamily({
      name: "tilemark_serving_cache_size_bytes",
      help: "About how much memory the serving cache takes",
      unit: "bytes",
      labels,
    }),
  };
}

function ingestFamilies() {
  return {
    ingestRecords: counterFamily({
      name: "tilemark_ingest_records",
      help: "Records of accepted requests: accepted, duplicate, conflict or filtered",
      labels: ["workspace", "source", "outcome"],
    }),
    ingestRefusedRecords: counterFamily({
      name: "tilemark_ingest_refused_records",
      help: "Records that were wrong, by the error's code; their requests were refused whole",
      labels: ["workspace", "source", "code"],
    }),
    ingestEventAge: histogramFamily(
      {
        name: "tilemark_ingest_event_age_seconds",
        help: "From the newest event of a request to ingest to the request",
        unit: "seconds",
        labels: ["workspace", "source"],
      },
      ages,
    ),
  };
}

/** Asked for when they are scraped. */
function collectedFamilies() {
  const labels = ["workspace", "view"];
  return {
    compactionCut: gaugeFamily({
      name: "tilemark_compaction_cut",
      help: "The epoch that a view's last finished compaction covers, -1 before the first",
      labels,
    }),
    compactionStarted: gaugeFamily({
      name: "tilemark_compaction_started_timestamp_seconds",
      help: "When a view's last compaction was started",
      unit: "seconds",
      labels,
    }),
    compactionFinished: gaugeFamily({
      name: "tilemark_compaction_finished_timestamp_seconds",
      help: "When a view's last finished compaction was finished",
      unit: "seconds",
      labels,
    }),
    regionLag: gaugeFamily({
      name: "tilemark_region_lag_seconds",
      help: "How old what a region has of its home is",
      unit: "seconds",
      labels: ["workspace"],
    }),
    collectFailures: counterFamily({
      name: "tilemark_collect_failures",
      help: "Parts that did not answer a scrape in time: what they would tell is left out",
      labels: ["workspace", "part"],
    }),
  };
}

function processFamilies() {
  return {
    buildInfo: gaugeFamily({
      name: "tilemark_build_info",
      help: "1, with the version that runs",
      labels: ["version"],
    }),
    startTimestamp: gaugeFamily({
      name: "tilemark_start_timestamp_seconds",
      help: "When this process, or isolate, began to count",
      unit: "seconds",
      labels: [],
    }),
  };
}
