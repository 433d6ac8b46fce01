/** Validates a view's config and fills in its defaults. */

import { formatDuration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import { InstantError, parseInstant } from "../core/instant.ts";
import { limits } from "../core/limits.ts";
import { checkDefinition, describe } from "./brand.ts";
import { buildAttributes, readTtl } from "./build-attributes.ts";
import { buildFeatures } from "./build-features.ts";
import type { FeatureFields } from "./build-features.ts";
import { checkFields, checkName, checkObject, readDuration, readTags } from "./check.ts";
import type {
  Column,
  EntityDefinition,
  SourceDefinition,
  ViewDefinition,
  Windowing,
} from "./definition.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { readSecondaryKey } from "./key-features.ts";
import { readCacheMaxAge } from "./read-cache-max-age.ts";
import { readHistory } from "./read-history.ts";
import { readViewJoinKeys } from "./read-view-join-keys.ts";
import type { CompactionConfig } from "./view-config.ts";

/** A config once its types are forgotten; JavaScript callers may have passed anything. */
export interface UntypedViewConfig {
  readonly entities: readonly EntityDefinition[];
  readonly source: SourceDefinition;
  readonly history?: unknown;
  readonly windowing?: unknown;
  readonly interval?: unknown;
  readonly featureStartTime?: unknown;
  readonly features?: unknown;
  readonly secondaryKey?: unknown;
  readonly attributes?: unknown;
  readonly ttl?: unknown;
  readonly compaction: CompactionConfig;
  readonly cache?: unknown;
  readonly tags?: unknown;
}

/** @throws DefinitionError */
export function buildView(
  kind: ViewDefinition["kind"],
  name: string,
  config: UntypedViewConfig,
): Omit<ViewDefinition, "kind"> {
  const prefix = `Cannot define view "${name}"`;
  checkName(prefix, "its name", name);
  checkObject(prefix, "its config", config);
  checkKindOfFeatures(prefix, config);
  checkSource(prefix, kind, config.source);
  const scope = { prefix, kind, joinKeys: readViewJoinKeys(prefix, config) };
  const { joinKeys } = scope;
  const features =
    config.attributes === undefined ? readAggregates(config, scope) : readAttributes(config, scope);
  const compaction = readCompaction(prefix, config.compaction);
  const history = readHistory(config.history, {
    prefix,
    kind,
    source: config.source,
    columns: [...joinKeys, ...features.valueColumns],
    intervalMs: features.intervalMs,
    compactionEveryMs: compaction.compactionEveryMs,
  });
  const view = {
    name,
    entities: [...config.entities],
    joinKeys,
    source: config.source,
    ...history,
    ...features,
    ...compaction,
    cacheMaxAgeMs: readCacheMaxAge(prefix, config.cache),
    tags: readTags(prefix, config.tags),
  };
  return { ...view, fingerprint: fingerprintOf({ kind, ...view }) };
}

const sharedFields = ["entities", "source", "history", "compaction", "cache", "tags"];

const aggregateFields = [
  ...sharedFields,
  "windowing",
  "interval",
  "featureStartTime",
  "features",
  "secondaryKey",
];

const attributeFields = [...sharedFields, "attributes", "ttl"];

/** A view has the one kind of features or the other. */
function checkKindOfFeatures(prefix: string, config: UntypedViewConfig): void {
  if (config.attributes === undefined) return checkFields(prefix, config, aggregateFields);
  if (config.features !== undefined) {
    throw new DefinitionError(
      `${prefix}: it has features and attributes, move the attributes to a view of their own`,
    );
  }
  checkFields(prefix, config, attributeFields);
}

interface ViewScope {
  readonly prefix: string;
  readonly kind: ViewDefinition["kind"];
  readonly joinKeys: readonly Column[];
}

type ValueFields = FeatureFields &
  Pick<ViewDefinition, "windowing" | "intervalMs" | "featureStartTimeMs" | "attributes">;

function readAggregates(config: UntypedViewConfig, scope: ViewScope): ValueFields {
  const { prefix, kind } = scope;
  const { source } = config;
  const windowing = readWindowing(prefix, kind, config.windowing);
  const intervalMs = readInterval(prefix, windowing, config.interval);
  const secondaryKey = readSecondaryKey(config.secondaryKey, { ...scope, source });
  const featureScope = { prefix, source, windowing, intervalMs };
  return {
    windowing,
    intervalMs,
    featureStartTimeMs: readStartTime(prefix, config.featureStartTime),
    attributes: null,
    ...buildFeatures(config.features, secondaryKey, featureScope),
  };
}

/** All of the entity's events count, up to the instant of the request. */
function readAttributes(config: UntypedViewConfig, { prefix }: ViewScope): ValueFields {
  return {
    windowing: "continuous",
    intervalMs: 0,
    featureStartTimeMs: null,
    attributes: { ttlMs: readTtl(prefix, config.ttl) },
    ...buildAttributes(config.attributes, { prefix, source: config.source }),
  };
}

function checkSource(prefix: string, kind: ViewDefinition["kind"], source: unknown): void {
  const kinds = kind === "streamView" ? ["streamSource"] : ["streamSource", "batchSource"];
  checkDefinition(source, { prefix, name: "source", kinds });
}

function readWindowing(
  prefix: string,
  kind: ViewDefinition["kind"],
  windowing: unknown,
): Windowing {
  if (windowing !== "sliding" && windowing !== "sawtooth" && windowing !== "continuous") {
    const found = typeof windowing === "string" ? `"${windowing}"` : describe(windowing);
    throw new DefinitionError(
      `${prefix}: windowing is ${found}, expected "sliding", "sawtooth" or "continuous"`,
    );
  }
  if (kind === "batchView" && windowing !== "sliding") {
    throw new DefinitionError(
      `${prefix}: windowing is "${windowing}", expected "sliding", since a batch view knows nothing past its watermark`,
    );
  }
  return windowing;
}

function readInterval(prefix: string, windowing: Windowing, interval: unknown): number {
  if (windowing === "continuous") {
    if (interval === undefined) return 0;
    throw new DefinitionError(
      `${prefix}: it has an interval and windowing "continuous", leave the interval out or choose "sliding" or "sawtooth"`,
    );
  }
  const intervalMs = readDuration(prefix, "interval", interval);
  if (intervalMs < limits.intervalMsMin || intervalMs % 1_000 !== 0) {
    throw new DefinitionError(
      `${prefix}: interval is "${String(interval)}", expected whole seconds, at least ${formatDuration(limits.intervalMsMin)}`,
    );
  }
  const canonical = formatDuration(intervalMs);
  if (interval !== canonical) {
    throw new DefinitionError(
      `${prefix}: interval is "${String(interval)}", write "${canonical}", as feature names do`,
    );
  }
  return intervalMs;
}

function readStartTime(prefix: string, text: unknown): number | null {
  if (text === undefined) return null;
  if (typeof text !== "string") {
    throw new DefinitionError(
      `${prefix}: featureStartTime is ${describe(text)}, expected RFC 3339 text such as "2024-01-01T00:00:00Z"`,
    );
  }
  try {
    return parseInstant(text);
  } catch (cause) {
    if (!(cause instanceof InstantError)) throw cause;
    throw new DefinitionError(
      `${prefix}: featureStartTime is "${text}", which is not an instant: ${cause.reason}`,
    );
  }
}

function readCompaction(
  prefix: string,
  compaction: CompactionConfig,
): Pick<ViewDefinition, "compactionEveryMs" | "horizonMs"> {
  checkObject(prefix, "compaction", compaction);
  checkFields(`${prefix}: compaction`, compaction, ["every", "horizon"]);
  const { every, horizon } = compaction;
  const compactionEveryMs = readDuration(prefix, "compaction.every", every);
  if (compactionEveryMs < limits.compactionEveryMsMin) {
    throw new DefinitionError(
      `${prefix}: compaction.every is "${every}", expected at least ${formatDuration(limits.compactionEveryMsMin)}`,
    );
  }
  if (horizon === undefined) {
    return { compactionEveryMs, horizonMs: Math.ceil(compactionEveryMs * 1.25) };
  }
  const horizonMs = readDuration(prefix, "compaction.horizon", horizon);
  if (horizonMs < compactionEveryMs) {
    throw new DefinitionError(
      `${prefix}: compaction.horizon is "${horizon}" and compaction.every is "${every}", make the horizon at least as long`,
    );
  }
  return { compactionEveryMs, horizonMs };
}
