/** Validates a view's config and fills in its defaults. */

import { formatDuration } from "../core/duration.ts";
import { DefinitionError } from "../core/errors.ts";
import { InstantError, parseInstant } from "../core/instant.ts";
import { limits } from "../core/limits.ts";
import type { Aggregation } from "./aggregation.ts";
import { checkDefinition, describe } from "./brand.ts";
import { buildFeatures } from "./build-features.ts";
import { checkCount, checkFields, checkName, checkObject, readDuration } from "./check.ts";
import type {
  Column,
  EntityDefinition,
  SourceDefinition,
  ViewDefinition,
  Windowing,
} from "./definition.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { readHistory } from "./read-history.ts";
import type { CompactionConfig, ViewConfig } from "./view-config.ts";

/** A config once its types are forgotten; JavaScript callers may have passed anything. */
export type UntypedViewConfig = ViewConfig<
  SourceDefinition,
  readonly EntityDefinition[],
  Windowing,
  string,
  Readonly<Record<string, readonly Aggregation[] | undefined>>
>;

/** @throws DefinitionError */
export function buildView(
  kind: ViewDefinition["kind"],
  name: string,
  config: UntypedViewConfig,
): Omit<ViewDefinition, "kind"> {
  const prefix = `Cannot define view "${name}"`;
  checkName(prefix, "its name", name);
  checkObject(prefix, "its config", config);
  checkFields(prefix, config, viewFields);
  checkSource(prefix, kind, config.source);
  const windowing = readWindowing(prefix, kind, config.windowing);
  const intervalMs = readInterval(prefix, windowing, config.interval);
  const joinKeys = readJoinKeys(prefix, config);
  const featureStartTimeMs = readStartTime(prefix, config.featureStartTime);
  const features = buildFeatures(config.features, {
    prefix,
    source: config.source,
    windowing,
    intervalMs,
  });
  const compaction = readCompaction(prefix, config.compaction);
  const history = readHistory(config.history, {
    prefix,
    kind,
    source: config.source,
    columns: [...joinKeys, ...features.valueColumns],
    intervalMs,
    compactionEveryMs: compaction.compactionEveryMs,
  });
  const view = {
    name,
    entities: [...config.entities],
    joinKeys,
    source: config.source,
    ...history,
    windowing,
    intervalMs,
    featureStartTimeMs,
    ...features,
    ...compaction,
  };
  return { ...view, fingerprint: fingerprintOf({ kind, ...view }) };
}

const viewFields = [
  "entities",
  "source",
  "history",
  "windowing",
  "interval",
  "featureStartTime",
  "features",
  "compaction",
];

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

/** The join keys of all entities, each once and each a column of the source. */
function readJoinKeys(prefix: string, config: UntypedViewConfig): readonly Column[] {
  if (!Array.isArray(config.entities)) {
    throw new DefinitionError(
      `${prefix}: entities is ${describe(config.entities)}, expected an array`,
    );
  }
  checkCount(prefix, "entities", {
    count: config.entities.length,
    min: 1,
    max: limits.viewJoinKeysMax,
  });
  const joinKeys: Column[] = [];
  config.entities.forEach((entity, i) => {
    checkDefinition(entity, { prefix, name: `entities[${i}]`, kinds: ["entity"] });
    for (const key of entity.joinKeys) {
      checkJoinKey(`${prefix}: join key "${key.name}" of entity "${entity.name}"`, key, {
        source: config.source,
        earlier: joinKeys,
      });
      joinKeys.push(key);
    }
  });
  checkCount(prefix, "the join keys of its entities", {
    count: joinKeys.length,
    min: 1,
    max: limits.viewJoinKeysMax,
  });
  return joinKeys;
}

function checkJoinKey(
  prefix: string,
  key: Column,
  among: { readonly source: SourceDefinition; readonly earlier: readonly Column[] },
): void {
  const { source, earlier } = among;
  if (earlier.some(({ name }) => name === key.name)) {
    throw new DefinitionError(`${prefix} is a join key already, expected each one once`);
  }
  const column = source.columns.find(({ name }) => name === key.name);
  if (column === undefined) {
    throw new DefinitionError(
      `${prefix} is not a column of source "${source.name}", add it there with type "${key.type}"`,
    );
  }
  if (column.type !== key.type) {
    throw new DefinitionError(
      `${prefix} has type "${key.type}" and its column in source "${source.name}" has type "${column.type}", make them the same`,
    );
  }
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
