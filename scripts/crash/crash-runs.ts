/**
 * Crash runs: the state before a bracket is prepared once, and each run plays the bracket on a copy
 * of it, with the server killed after one store operation, and then all that follows.
 */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { bundleCrashWorker } from "./crash-server.ts";
import { Deployment } from "./deployment.ts";
import { faultText } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { brackets, playRest } from "./play-brackets.ts";
import type { BracketName, UndisturbedRecords } from "./play-brackets.ts";
import { historyClients, ingestClients, instants } from "./workload.ts";

export interface CrashPoint {
  readonly bracket: BracketName;
  /** The number of the store operation, from 1 on, after which the server is killed. */
  readonly operation: number;
}

export interface CrashReport extends CrashPoint {
  /** What the worker said when it stopped; null where it did not. */
  readonly stopped: string | null;
  readonly faults: readonly Fault[];
}

/** A run is a process's start, a wait, another start: two at a time keep two cores busy. */
const laneCount = 2;

/** What a server that nobody killed left behind. */
interface Prepared {
  /** The state before each bracket. */
  readonly bases: Readonly<Record<BracketName, Deployment>>;
  readonly operations: Readonly<Record<BracketName, readonly string[]>>;
  readonly undisturbed: UndisturbedRecords;
}

export class CrashRuns {
  readonly #directory: string;
  readonly #prepared: Prepared;

  private constructor(directory: string, prepared: Prepared) {
    this.#directory = directory;
    this.#prepared = prepared;
  }

  /**
   * @param directory for states and their copies; whoever asked removes it.
   * @throws an error that lists the faults of a server that nobody killed.
   */
  static async prepare(directory: string): Promise<CrashRuns> {
    const origin = new Deployment(join(directory, "origin"), await bundleCrashWorker());
    try {
      return new CrashRuns(directory, await playUndisturbed(origin, directory));
    } finally {
      await origin.kill();
    }
  }

  /** The store operations of each bracket. Its clients do not always meet in quite the same way. */
  get operations(): Readonly<Record<BracketName, readonly string[]>> {
    return this.#prepared.operations;
  }

  /** Runs the points, several at a time; each report is given as it comes, and all of them in order. */
  async run(
    points: readonly CrashPoint[],
    onReport: (report: CrashReport) => void = () => undefined,
  ): Promise<readonly CrashReport[]> {
    const reports = new Array<CrashReport>(points.length);
    const waiting = points.entries();
    const runLane = async () => {
      for (const [i, point] of waiting) {
        const report = await this.#runPoint(point);
        reports[i] = report;
        onReport(report);
      }
    };
    await Promise.all(Array.from({ length: laneCount }, runLane));
    return reports;
  }

  async #runPoint(point: CrashPoint): Promise<CrashReport> {
    const { bracket, operation } = point;
    const { bases, undisturbed } = this.#prepared;
    const copy = await bases[bracket].copyTo(join(this.#directory, `${bracket}-${operation}`));
    const faults: Fault[] = [];
    try {
      const stopped = await brackets[bracket](copy, { operation, undisturbed, faults });
      return { ...point, stopped, faults };
    } catch (error) {
      faults.push({ kind: "failures", text: inspect(error) });
      return { ...point, stopped: null, faults };
    } finally {
      await copy.kill();
      await rm(copy.directory, { recursive: true, force: true });
    }
  }
}

async function playUndisturbed(origin: Deployment, directory: string): Promise<Prepared> {
  const copyAs = async (name: string) => {
    await origin.kill();
    return origin.copyTo(join(directory, name));
  };
  await origin.start(instants.history);
  await origin.ingest(historyClients, instants.history);
  await origin.compact(instants.firstCompaction);
  const beforeIngest = await copyAs("before-ingest");
  await origin.start(instants.ingest);
  await origin.server.countOperations();
  await origin.ingest(ingestClients, instants.ingest);
  const ingest = await origin.server.countedOperations();
  const beforeCompaction = await copyAs("before-compaction");
  await origin.start(instants.compaction);
  const before = await origin.server.records();
  await origin.server.countOperations();
  await origin.compact(instants.compaction);
  const compaction = await origin.server.countedOperations();
  const after = await origin.server.records();
  const faults = await playRest(origin);
  if (faults.length > 0) {
    throw new Error(`Cannot prepare crash runs: ${faults.map(faultText).join("\n")}`);
  }
  return {
    bases: { ingest: beforeIngest, compaction: beforeCompaction },
    operations: { ingest, compaction },
    undisturbed: { before, after, atEnd: await origin.server.records() },
  };
}
