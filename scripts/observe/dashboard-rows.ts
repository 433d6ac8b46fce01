/** The panels of the Grafana dashboard: titles and queries, row by row. */

/** A line or more of a panel. */
interface Query {
  readonly expr: string;
  /** What the lines are called, with labels in braces. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly description?: string;
  /** Grafana's name of the unit. */
  readonly unit:
    "reqps" | "s" | "Bps" | "ops" | "short" | "percentunit" | "bytes" | "dateTimeAsIso";
  readonly queries: readonly Query[];
}

interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const workspace = 'workspace=~"$workspace"';
const service = `${workspace},service=~"$service"`;

function rate(metric: string, labels = ""): string {
  return `rate(${metric}{${labels}}[$__rate_interval])`;
}

function sumRate(metric: string, by: string, labels = workspace): string {
  return `sum by (${by}) (${rate(metric, labels)})`;
}

function quantile(q: number, metric: string, { by, labels = workspace }: ByLabels): string {
  return `histogram_quantile(${q}, sum by (le, ${by}) (${rate(`${metric}_bucket`, labels)}))`;
}

interface ByLabels {
  readonly by: string;
  readonly labels?: string;
}

/** The median and the slowest hundredth. */
function quantiles(metric: string, { by, labels = workspace }: ByLabels): readonly Query[] {
  return [0.5, 0.99].map((q) => ({
    expr: quantile(q, metric, { by, labels }),
    legend: `p${q * 100} {{${by}}}`,
  }));
}

const requests: Row = {
  title: "Requests",
  panels: [
    {
      title: "Traffic by service",
      unit: "reqps",
      queries: [
        {
          expr: sumRate("tilemark_http_requests_total", "service", service),
          legend: "{{service}}",
        },
      ],
    },
    {
      title: "Answers by status",
      unit: "reqps",
      queries: [
        {
          expr: sumRate("tilemark_http_requests_total", "status", service),
          legend: "{{status}}",
        },
      ],
    },
    {
      title: "Latency by service",
      unit: "s",
      queries: quantiles("tilemark_http_request_duration_seconds", {
        by: "service",
        labels: service,
      }),
    },
    {
      title: "Errors by code",
      description: "OVERLOADED ones were shed",
      unit: "reqps",
      queries: [{ expr: sumRate("tilemark_http_errors_total", "code", ""), legend: "{{code}}" }],
    },
    {
      title: "In flight",
      unit: "short",
      queries: [{ expr: "tilemark_http_requests_in_flight", legend: "{{instance}}" }],
    },
    {
      title: "Refused credentials by reason",
      unit: "reqps",
      queries: [
        { expr: sumRate("tilemark_access_refusals_total", "reason", ""), legend: "{{reason}}" },
      ],
    },
  ],
};

const features: Row = {
  title: "Features",
  panels: [
    {
      title: "Features by status",
      unit: "ops",
      queries: [{ expr: sumRate("tilemark_features_total", "status"), legend: "{{status}}" }],
    },
    {
      title: "Features that are not what they should be",
      unit: "ops",
      queries: [
        {
          expr: sumRate("tilemark_features_flagged_total", "view, reason"),
          legend: "{{view}} {{reason}}",
        },
      ],
    },
    {
      title: "Vectors in a request",
      unit: "short",
      queries: quantiles("tilemark_request_rows", { by: "service", labels: service }),
    },
    {
      title: "What a request's time goes to",
      unit: "s",
      queries: quantiles("tilemark_request_phase_duration_seconds", {
        by: "phase",
        labels: service,
      }),
    },
    {
      title: "Age of batch records by view",
      description: "From the watermark of a record to the request that it answers",
      unit: "s",
      queries: quantiles("tilemark_batch_record_age_seconds", { by: "view" }),
    },
    {
      title: "Lag of regions",
      unit: "s",
      queries: [
        { expr: `tilemark_region_lag_seconds{${workspace}}`, legend: "{{workspace}} {{instance}}" },
      ],
    },
  ],
};

const stores: Row = {
  title: "Stores",
  panels: [
    {
      title: "What requests wait for stores",
      unit: "s",
      queries: quantiles("tilemark_store_read_duration_seconds", { by: "home" }),
    },
    {
      title: "Calls and keys",
      unit: "ops",
      queries: [
        { expr: sumRate("tilemark_store_calls_total", "home"), legend: "calls {{home}}" },
        { expr: sumRate("tilemark_store_keys_total", "home"), legend: "keys {{home}}" },
      ],
    },
    {
      title: "Bytes read",
      unit: "Bps",
      queries: [{ expr: sumRate("tilemark_store_read_bytes_total", "home"), legend: "{{home}}" }],
    },
    {
      title: "Failed and stale reads",
      unit: "ops",
      queries: [
        { expr: sumRate("tilemark_store_read_failures_total", "home"), legend: "failed {{home}}" },
        { expr: sumRate("tilemark_store_stale_reads_total", "home"), legend: "stale {{home}}" },
      ],
    },
    {
      title: "Hedges, retries and breakers",
      unit: "ops",
      queries: [
        {
          expr: sumRate("tilemark_store_events_total", "kind, source", 'kind!="attempt"'),
          legend: "{{kind}} {{source}}",
        },
      ],
    },
    {
      title: "Lookups in serving caches",
      unit: "ops",
      queries: [
        { expr: sumRate("tilemark_serving_cache_lookups_total", "outcome"), legend: "{{outcome}}" },
        { expr: sumRate("tilemark_serving_cache_evictions_total", "workspace"), legend: "evicted" },
      ],
    },
    {
      title: "What serving caches hold",
      unit: "bytes",
      queries: [
        {
          expr: `tilemark_serving_cache_size_bytes{${workspace}}`,
          legend: "{{workspace}} {{instance}}",
        },
      ],
    },
  ],
};

const writes: Row = {
  title: "Ingest and compaction",
  panels: [
    {
      title: "Records by outcome",
      unit: "ops",
      queries: [
        {
          expr: sumRate("tilemark_ingest_records_total", "source, outcome"),
          legend: "{{source}} {{outcome}}",
        },
      ],
    },
    {
      title: "Refused records by code",
      unit: "ops",
      queries: [
        {
          expr: sumRate("tilemark_ingest_refused_records_total", "source, code"),
          legend: "{{source}} {{code}}",
        },
      ],
    },
    {
      title: "Age of the newest event of a request",
      unit: "s",
      queries: quantiles("tilemark_ingest_event_age_seconds", { by: "source" }),
    },
    {
      title: "Since the last finished compaction",
      unit: "s",
      queries: [
        {
          expr: `time() - max by (view) (tilemark_compaction_finished_timestamp_seconds{${workspace}})`,
          legend: "{{view}}",
        },
      ],
    },
    {
      title: "Since a compaction was started that has not finished",
      unit: "s",
      queries: [
        {
          expr: `time() - max by (view) (tilemark_compaction_started_timestamp_seconds{${workspace}} > tilemark_compaction_finished_timestamp_seconds{${workspace}})`,
          legend: "{{view}}",
        },
      ],
    },
    {
      title: "Parts that did not answer a scrape",
      unit: "ops",
      queries: [{ expr: sumRate("tilemark_collect_failures_total", "part"), legend: "{{part}}" }],
    },
  ],
};

export const dashboardRows: readonly Row[] = [requests, features, stores, writes];

/** Families that have no panel, each with the reason. */
export const familiesNotShown: Readonly<Record<string, string>> = {
  tilemark_compaction_cut: "an epoch: it says something beside another one alone",
  tilemark_serving_cache_entries: "its bytes are shown, which are what may run out",
  tilemark_build_info: "joined to other queries by who compares versions",
  tilemark_start_timestamp_seconds: "tells a young isolate from an old one",
};
