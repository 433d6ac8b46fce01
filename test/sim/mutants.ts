/**
 * The protocol broken on purpose, one rule at a time. Each mutant is a patch of the text of the real
 * source; the simulation must see every one of them. `from` is in its file exactly once, or nothing
 * runs: a change of the source cannot disarm a mutant unseen.
 */

export interface Patch {
  /** From the root of the project. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Mutant {
  readonly name: string;
  /** What is broken, and what comes of it. */
  readonly why: string;
  readonly patches: readonly Patch[];
  /** Where few seeds see it: the first that did, which is tried first. */
  readonly firstSeed?: number;
}

const combine = "src/serve/combine-view.ts";
const namedReads = "src/serve/named-reads.ts";
const readTrips = "src/serve/read-trips.ts";
const readViews = "src/serve/read-views.ts";
const usedBounds = "src/serve/used-bounds.ts";
const segmentStates = "src/serve/segment-states.ts";
const runningStates = "src/serve/running-states.ts";
const logHome = "src/ingest/log-home.ts";
const projectRows = "src/ingest/project-rows.ts";
const applyEvents = "src/ingest/apply-events.ts";
const foldEpochs = "src/ingest/fold-epochs.ts";
const collectEpochs = "src/ingest/collect-epochs.ts";
const collectRecord = "src/ingest/collect-record.ts";
const publisher = "src/compact/publisher.ts";
const viewState = "src/compact/view-state.ts";
const burials = "src/compact/burials.ts";
const compactViews = "src/compact/compact-views.ts";
const registerLoads = "src/compact/register-loads.ts";
const drainLog = "src/compact/drain-log.ts";
const eventLog = "src/store/memory-event-log.ts";
const admitEntries = "src/store/admit-entries.ts";
const recordFrame = "src/tile/record-frame.ts";

function patch(file: string, from: string, to: string): Patch {
  return { file, from, to };
}

const readMutants: readonly Mutant[] = [
  {
    name: "no-floor-check",
    why: "a batch copy older than what the stream still holds is a number, with a hole in it",
    patches: [patch(combine, "if (stream.collectedEpoch > cut) {", "if (false) {")],
  },
  {
    name: "cut-of-its-own-key",
    why: "the cut is read from a key beside the record: the two are of different runs",
    patches: [
      patch(
        publisher,
        "request.records.map(({ entity, bytes }) => ({ key: batchKey(view, entity), bytes })),\n      );",
        "request.records.map(({ entity, bytes }) => ({ key: batchKey(view, entity), bytes })),\n      );\n" +
          "await this.#parts.batchStore.write([{ key: `cut/${view.name}`, bytes: request.records[0].bytes }]);",
      ),
      patch(
        namedReads,
        "keysOf(batchHome).add(batch);",
        "keysOf(batchHome).add(batch).add(`cut/${batch.split('/')[1]}`);",
      ),
      patch(
        readViews,
        "    const seen = seenOf(records);",
        "    const own = batchTrip.values.get(`cut/${view.name}`) ?? null;\n" +
          "    if (own !== null && records.batch !== null) {\n" +
          "      const { cut } = readBatchRecord(own.bytes, view).header;\n" +
          "      records.batch = { ...records.batch, header: { ...records.batch.header, cut } };\n" +
          "    }\n    const seen = seenOf(records);",
      ),
    ],
  },
  {
    name: "cut-by-event-time",
    why: "the stream counts from the watermark on, whatever the epochs: late events are lost",
    patches: [patch(combine, "  if (view.history === null) {", "  if (false) {")],
  },
  {
    name: "cut-inclusive",
    why: "the epoch of the cut counts from the stream too",
    patches: [
      patch(
        combine,
        "epoch > cut).map(({ partial }) => partial)",
        "epoch >= cut).map(({ partial }) => partial)",
      ),
    ],
  },
  {
    name: "window-edge-inclusive",
    why: "an event on the edge between two segments falls in the wrong one",
    patches: [
      patch(
        segmentStates,
        "(edgesMs[segment + 1] as number) <= instantMs",
        "(edgesMs[segment + 1] as number) < instantMs",
      ),
    ],
  },
  {
    name: "merge-into-a-segment",
    why: "a window's states are merged into those of a segment, which the next window meets",
    patches: [
      patch(
        runningStates,
        "if (held !== undefined) algebra.mergeInto(state, held);",
        "if (held === undefined) continue;\n      algebra.mergeInto(held, state);\n      state = this.#states[slotIndex] = held;",
      ),
      patch(
        runningStates,
        "const state = (this.#states[slotIndex] ??=",
        "let state = (this.#states[slotIndex] ??=",
      ),
    ],
  },
  {
    name: "failed-read-is-absent",
    why: "a store that fails is taken for one without the record",
    patches: [
      patch(
        readTrips,
        "  });\n  return { values: new Map(",
        "  }).catch(() => []);\n  return { values: new Map(",
      ),
    ],
  },
  {
    name: "no-checksum",
    firstSeed: 63,
    why: "a flipped bit is read as it is",
    patches: [
      patch(recordFrame, "if (view.getUint32(4, true) !== checksumOf(framed)) {", "if (false) {"),
    ],
  },
  {
    name: "dropped-is-zero",
    firstSeed: 146,
    why: "a window that reaches behind what the records hold is answered all the same",
    patches: [
      patch(
        usedBounds,
        "gap: startMs < endMs && sections.some(({ partial }) => partial.keepFromMs > startMs),",
        "gap: false,",
      ),
    ],
  },
  {
    name: "rounding-untold",
    why: "a window past the horizon is rounded and does not say so",
    patches: [
      patch(
        usedBounds,
        "degraded: startMs !== asked.startMs || endMs !== asked.endMs,",
        "degraded: false,",
      ),
    ],
  },
  {
    name: "tombstone-not-read",
    why: "a deleted entity is answered until its records are erased",
    patches: [
      patch(
        readViews,
        "const isDeleted = tombstones.some((key) => (liveTrip.values.get(key) ?? null) !== null);",
        "const isDeleted = false;",
      ),
    ],
  },
  {
    name: "watermark-not-in-record",
    why: "with a history, the stream's events before the batch record's watermark count again",
    patches: [
      patch(
        combine,
        "const fromMs = batch?.header.watermarkMs ?? -Infinity;",
        "const fromMs = -Infinity;",
      ),
    ],
  },
];

const ingestMutants: readonly Mutant[] = [
  {
    name: "partial-of-another-epoch",
    why: "a row goes into the partial of the newest epoch of its page, not of its own",
    patches: [
      patch(
        projectRows,
        "event: { seq: row.seq, epoch: row.epoch, event: raw },",
        "event: { seq: row.seq, epoch: (rows.at(-1) as LogRow).epoch, event: raw },",
      ),
    ],
  },
  {
    name: "acknowledged-before-applied",
    why: "an append resolves when the log has it, and no stream record yet",
    patches: [
      patch(
        logHome,
        "await this.repair(options.nowMs);",
        "this.repair(options.nowMs).catch(() => undefined);",
      ),
    ],
  },
  {
    name: "no-repair-of-repeats",
    why: "a repeat is acknowledged though its first delivery was never applied",
    patches: [
      patch(
        logHome,
        "await this.repair(options.nowMs);",
        'if (result.outcomes.includes("appended")) await this.repair(options.nowMs);',
      ),
    ],
  },
  {
    name: "applied-before-it-is",
    why: "the place up to which rows are applied moves before they are",
    patches: [
      patch(
        logHome,
        "      await streams.apply(this.#projection.recordsOf(rows), await this.#contextOf(rows, nowMs));\n      await log.setAppliedSeq(last.seq);",
        "      const context = await this.#contextOf(rows, nowMs);\n      await log.setAppliedSeq(last.seq);\n      await streams.apply(this.#projection.recordsOf(rows), context);",
      ),
    ],
  },
  {
    name: "seal-does-not-wait",
    firstSeed: 71,
    why: "a seal resolves while rows of its epoch are not applied",
    patches: [patch(logHome, "    await this.repair(seal.nowMs);\n", "")],
  },
  {
    name: "no-positions",
    why: "an application that is repeated adds its events again",
    patches: [
      patch(
        applyEvents,
        "const position = read.positions.get(context.shard) ?? 0;",
        "const position = 0;",
      ),
    ],
  },
  {
    name: "position-inclusive",
    why: "the last event that was applied counts as news",
    patches: [
      patch(
        applyEvents,
        "const news = events.filter(({ seq }) => seq > position);",
        "const news = events.filter(({ seq }) => seq >= position);",
      ),
    ],
  },
  {
    name: "no-compare-and-set",
    why: "two writers of a stream record overwrite each other",
    patches: [
      patch(
        applyEvents,
        "const expectedVersion = before?.version ?? null;",
        "const expectedVersion = undefined;",
      ),
    ],
  },
  {
    name: "tombstone-not-met",
    firstSeed: 1436,
    why: "events bring back the record of a deleted entity",
    patches: [
      patch(
        applyEvents,
        "if (tombstones[i]?.some((tombstone) => found.has(tombstone)) === true) return;",
        "",
      ),
    ],
  },
  {
    name: "merged-across-a-cut",
    why: "partials of two epochs become one though a batch record is cut between them",
    patches: [
      patch(foldEpochs, "if (views === null || views.includes(view.name)) return true;", ""),
    ],
  },
  {
    name: "merged-past-the-horizon",
    firstSeed: 260,
    why: "partials of two epochs become one whose cover cuts the tiles of one of them",
    patches: [patch(foldEpochs, "      isOutlived(last, epoch, fold.view);", "      false;")],
  },
  {
    name: "ids-forgotten-with-an-epoch",
    why: "an id is remembered within its epoch alone",
    patches: [
      patch(
        eventLog,
        "  #open(epoch: number, nowMs: number): number {",
        "  #open(epoch: number, nowMs: number): number {\n    for (const s of ['events']) this.#memory.forgetIds(s, Infinity, Infinity);",
      ),
    ],
  },
  {
    name: "forgotten-is-new",
    why: "an id that a clock ahead of its time has made the shard forget passes for a new one",
    patches: [patch(admitEntries, "  if (timestampMs <= forgottenMs) {", "  if (false) {")],
  },
];

const compactionMutants: readonly Mutant[] = [
  {
    name: "no-fence",
    firstSeed: 109,
    why: "an older run goes on beside a newer one",
    patches: [patch(publisher, "if (state.fence === fence) return state;", "return state;")],
  },
  {
    name: "seal-not-awaited",
    why: "the log is drained before the epoch is sealed: later rows of it are never drained",
    patches: [
      patch(
        publisher,
        "      await this.#seal(runs);",
        "      this.#seal(runs).catch(() => undefined);",
      ),
    ],
  },
  {
    name: "sealed-before-remembered",
    why: "what is sealed is remembered after the shards were told, and so without its views",
    patches: [
      patch(
        publisher,
        "      // What is about to be sealed is remembered first: a crash after it finds the same numbers.\n",
        "      await this.#seal(runs);\n",
      ),
      patch(publisher, "      await this.#seal(runs);\n      return", "      return"),
    ],
  },
  {
    name: "resumed-at-a-new-cut",
    why: "a run that takes up another one's work goes on to an epoch that nobody sealed",
    patches: [
      patch(
        viewState,
        "  if (before.running) return { ...before, fence };",
        "  if (before.running) return { ...before, fence, cut: start.sealedEpoch ?? before.cut };",
      ),
      patch(
        publisher,
        "      await this.#seal(runs);",
        "      await this.#seal(runs.filter(({ before }) => !before.running));",
      ),
    ],
  },
  {
    name: "no-grace",
    why: "partials are collected while older batch records are met",
    patches: [
      patch(
        publisher,
        "const graceOver = nowMs - after.publishedAtMs >= this.graceMs;",
        "const graceOver = true;",
      ),
      patch(
        publisher,
        "if (cut > state.publishedCut || nowMs < graceOverAtMs) {",
        "if (cut > state.publishedCut) {",
      ),
    ],
  },
  {
    name: "grace-from-the-seal",
    firstSeed: 931,
    why: "the grace begins when a run does, and not when its records are out",
    patches: [
      patch(viewState, "    publishedAtMs: nowMs,", "    publishedAtMs: state.sealedAtMs,"),
    ],
  },
  {
    name: "unfinished-cut-collected",
    why: "what a run that did not finish would cover is collected",
    patches: [
      patch(
        publisher,
        "collectibleCut: graceOver ? after.publishedCut : after.collectedCut,",
        "collectibleCut: graceOver ? before.cut : after.collectedCut,",
      ),
      patch(
        publisher,
        "if (cut > state.publishedCut || nowMs < graceOverAtMs) {",
        "if (nowMs < graceOverAtMs) {",
      ),
    ],
  },
  {
    name: "collect-deletes",
    why: "a stream record without events is deleted, and with it what it said of collected epochs",
    patches: [
      patch(
        collectEpochs,
        "bytes: writeStreamRecord(collected, view),",
        "bytes: collected.epochs.length === 0 ? null : writeStreamRecord(collected, view),",
      ),
    ],
  },
  {
    name: "collect-without-a-floor",
    why: "partials are removed and the record does not say up to which epoch",
    patches: [
      patch(
        collectRecord,
        "    return { ...record, collectedEpoch, epochs };\n  }\n  const",
        "    return { ...record, epochs };\n  }\n  const",
      ),
    ],
  },
  {
    name: "history-not-collected",
    why: "with a history, an event that outlives its epoch is never looked for again",
    patches: [
      patch(
        compactViews,
        "const afterEpoch = view.history === null ? run.collectedCut : -1;",
        "const afterEpoch = run.collectedCut;",
      ),
    ],
  },
  {
    name: "collected-before-remembered",
    firstSeed: 2860,
    why: "a rollback goes behind what a compaction that broke off has collected",
    patches: [patch(publisher, "if (cut > state.touchedCut) {", "if (false) {")],
  },
  {
    name: "trimmed-before-durable",
    why: "the log forgets rows while their segment is still being put",
    patches: [
      patch(
        drainLog,
        "      await offline.putSegment(\n        name,\n        counted(events, (count) => (rowCount += count)),\n      );",
        "      offline\n        .putSegment(name, counted(events, (count) => (rowCount += count)))\n        .catch(() => undefined);",
      ),
    ],
  },
  {
    name: "vanished-not-published",
    why: "an entity whose events are gone keeps its last record",
    patches: [
      patch(
        compactViews,
        "for (const entity of entities) await publishing.add(emptyRecord(view, run, entity));",
        "",
      ),
    ],
  },
  {
    name: "published-not-remembered",
    why: "an entity is forgotten that has a record, or old events alone: nothing is published for it",
    patches: [patch(compactViews, "  await offline.putPublished(request);\n", "")],
  },
  {
    name: "load-not-in-the-log",
    why: "an event that is loaded and then ingested counts twice until the next compaction",
    patches: [patch(registerLoads, "timestampMs >= beforeMs &&", "false &&")],
  },
  {
    name: "load-seen-too-early",
    why: "a load belongs to cuts before the epoch that its events were ingested in",
    patches: [patch(registerLoads, "Math.max(...closed.map(({ epoch }) => epoch))", "-1")],
  },
  {
    name: "rollback-behind-collected",
    why: "a run goes back to a cut that the stream records do not cover from",
    patches: [
      patch(viewState, "  if (cut < state.touchedCut) {", "  if (false) {"),
      patch(
        viewState,
        "    finishedCuts: state.finishedCuts.filter((finished) => finished >= cut),",
        "    finishedCuts: state.finishedCuts,",
      ),
      patch(viewState, "    .filter((cut) => cut >= state.collectedCut)\n", ""),
    ],
  },
  {
    name: "deletion-not-remembered",
    why: "a deletion hides an entity, and no compaction hears of it",
    patches: [patch(burials, "[pendingPrefix + digest]: { entity: name, joinKeys },", "")],
  },
];

export const mutants: readonly Mutant[] = [...readMutants, ...ingestMutants, ...compactionMutants];
