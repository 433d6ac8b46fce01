/**
 * Settles what becomes of the entries of an append: which are new, which repeat what the shard
 * remembers, and which must be refused. Every log runs it in the transaction that writes the rows.
 */

import { FeatureError, assert } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { bodyHash } from "./body-hash.ts";
import type {
  AppendOptions,
  AppendResult,
  LogEntry,
  NamedRequest,
  PartitionRange,
} from "./event-log.ts";
import { namedRequests } from "./log-memory.ts";
import type { KnownPartition, LogMemory } from "./log-memory.ts";

type Outcome = AppendResult["outcomes"][number];

export interface AdmitOptions extends AppendOptions {
  /** How many ids and requests the shard may remember. */
  readonly idsMax: number;
}

/**
 * How long what is remembered outlives its time. Whoever refuses late events reads another clock
 * than who made the shard forget, and a request spends time on its way.
 */
const forgetDelayMs = limits.clockErrorMsMax + limits.requestMsMax;

/**
 * Throws where offsets do not come from a partition's range, one range a source, or do not go up
 * within it: a caller's bug. To be called before the transaction, whose failures may be the host's.
 */
export function assertOffsets(
  entries: readonly LogEntry[],
  ranges: readonly PartitionRange[] = [],
): void {
  const open = new Map(ranges.map((range) => [range.source, { ...range }]));
  assert(open.size === ranges.length, "a source has one partition range an append");
  for (const { fromOffset, nextOffset } of ranges) {
    const isRange = Number.isSafeInteger(fromOffset) && Number.isSafeInteger(nextOffset);
    assert(isRange && 0 <= fromOffset && fromOffset <= nextOffset, "a partition range is one");
  }
  for (const { source, offset } of entries) {
    const range = open.get(source);
    assert((range === undefined) === (offset === null), "an offset comes with a partition range");
    if (range === undefined || offset === null) continue;
    const isInside = range.fromOffset <= offset && offset < range.nextOffset;
    assert(Number.isInteger(offset) && isInside, "offsets go up within their partition range");
    range.fromOffset = offset + 1;
  }
}

/** @throws FeatureError as `EventLogShard.append`; what was remembered until then must be undone. */
export function admitEntries(
  memory: LogMemory,
  entries: readonly LogEntry[],
  options: AdmitOptions,
): readonly Outcome[] {
  const { request, partitions = [], idsMax } = options;
  let count = memory.count() - forgetPast(memory, options);
  if (request !== undefined && isRepeated(memory, request)) {
    memory.setCount(count);
    return entries.map(() => "repeat");
  }
  const nextOffsets = advancePartitions(memory, partitions);
  const sources = new Set(entries.map(({ source }) => source));
  const forgottenMs = new Map([...sources].map((name) => [name, memory.forgottenMs(name)]));
  const outcomes = entries.map((entry): Outcome => {
    const { source, id, offset } = entry;
    if (offset !== null && offset < (nextOffsets.get(source) ?? 0)) return "repeat";
    if (id === "") return "appended";
    const outcome = admitId(memory, entry, forgottenMs.get(source) ?? -Infinity);
    if (outcome === "appended") count += 1;
    return outcome;
  });
  if (request !== undefined) {
    admitRequest(memory, request, entries);
    count += 1;
  }
  if (count > idsMax) throw memoryFull(idsMax);
  memory.setCount(count);
  return outcomes;
}

/** As `EventLogShard.closeBefore`: the instant before which the source is closed. */
export function closeSource(memory: LogMemory, source: string, beforeMs: number): number {
  raiseForgotten(memory, source, beforeMs - 1);
  return memory.forgottenMs(source) + 1;
}

function isRepeated(memory: LogMemory, { key, contentHash }: NamedRequest): boolean {
  const hash = memory.requestHash(key);
  if (hash === null || hash === contentHash) return hash !== null;
  throw new FeatureError(
    "KEY_REUSED",
    "Cannot append events: the key of the request is that of another one with other content, send them under a new key",
  );
}

/**
 * How many ids and requests past their time were forgotten; a bounded number each time. What is not
 * known and no newer than the newest of them may be one of them: a clock that jumped ahead and
 * back forgets too much, and then no event may count twice.
 */
function forgetPast(memory: LogMemory, { nowMs, redeliveryHorizonMs }: AdmitOptions): number {
  const countMax = limits.idsForgottenPerAppendMax;
  const passedMs = nowMs - forgetDelayMs;
  const requests = memory.forgetRequests(passedMs, countMax);
  raiseForgotten(memory, namedRequests, requests.newestMs);
  let count = requests.count;
  for (const [source, horizonMs] of redeliveryHorizonMs) {
    const ids = memory.forgetIds(source, passedMs - horizonMs, countMax);
    raiseForgotten(memory, source, ids.newestMs);
    count += ids.count;
  }
  return count;
}

function raiseForgotten(memory: LogMemory, source: string, newestMs: number): void {
  if (newestMs === -Infinity) return;
  if (newestMs > memory.forgottenMs(source)) memory.setForgottenMs(source, newestMs);
}

/** By source the offset below which its entries are repeats. */
function advancePartitions(
  memory: LogMemory,
  ranges: readonly PartitionRange[],
): ReadonlyMap<string, number> {
  let newCount = 0;
  const nextOffsets = ranges.map((range): [string, number] => {
    const { source, partition, fromOffset, nextOffset } = range;
    const known = memory.partition(source, partition);
    if (known === null) {
      memory.setPartition(source, partition, { firstOffset: fromOffset, nextOffset });
      newCount += 1;
      return [source, fromOffset];
    }
    refuseGap(range, known);
    if (nextOffset > known.nextOffset) {
      memory.setPartition(source, partition, { ...known, nextOffset });
    }
    return [source, known.nextOffset];
  });
  if (newCount > 0 && memory.partitionCount() > limits.logShardPartitionsMax) {
    throw new FeatureError(
      "RESOURCE_EXHAUSTED",
      `Cannot append events: the log shard knows ${limits.logShardPartitionsMax} partitions, expected no more`,
    );
  }
  return new Map(nextOffsets);
}

/** Offsets before the first that the shard met are no repeats: it has never had their entries. */
function refuseGap(
  { source, partition, fromOffset }: PartitionRange,
  { firstOffset, nextOffset }: KnownPartition,
): void {
  if (firstOffset <= fromOffset && fromOffset <= nextOffset) return;
  const head = `Cannot append partition ${JSON.stringify(partition)} of source "${source}" from offset ${fromOffset}`;
  const problem =
    fromOffset > nextOffset
      ? `the log has it up to ${nextOffset}, send from offset ${nextOffset}`
      : `the log has it from ${firstOffset} on, send from offset ${firstOffset}, and what is before by backfill`;
  throw new FeatureError("CONFLICT", `${head}: ${problem}`);
}

function admitId(memory: LogMemory, entry: LogEntry, forgottenMs: number): Outcome {
  const { source, id, timestampMs, body } = entry;
  const hash = bodyHash(body);
  const known = memory.idHash(source, id);
  if (known !== null) return known === hash ? "repeat" : "conflict";
  if (timestampMs <= forgottenMs) {
    throw new FeatureError(
      "TOO_LATE",
      `Cannot append an event of source "${source}": event ids of its time were forgotten, send it by backfill`,
    );
  }
  memory.rememberId(source, { id, timestampMs, hash });
  return "appended";
}

/** A key protects the entries that neither an id nor an offset does. */
function admitRequest(
  memory: LogMemory,
  request: NamedRequest,
  entries: readonly LogEntry[],
): void {
  const [first, ...others] = entries.filter(({ id, offset }) => id === "" && offset === null);
  if (first === undefined) {
    memory.rememberRequest(request, null);
    return;
  }
  const newestMs = others.reduce((ms, each) => Math.max(ms, each.timestampMs), first.timestampMs);
  if (newestMs <= memory.forgottenMs(namedRequests)) {
    throw new FeatureError(
      "TOO_LATE",
      `Cannot append events of source "${first.source}": keys of requests of their time were forgotten, send them by backfill`,
    );
  }
  memory.rememberRequest(request, newestMs);
}

function memoryFull(idsMax: number): FeatureError {
  return new FeatureError(
    "RESOURCE_EXHAUSTED",
    `Cannot append events: the log shard remembers ${idsMax} event ids, retry when older ones have passed the redelivery horizon`,
    { retryable: true },
  );
}
