/** A purge and what follows it, ended between any two of its steps, and run again. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import type * as fs from "node:fs/promises";
import { cp, mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { giveBackName, takeTemporaryName } from "../../adapters/engines/duckdb/left-overs.ts";
import { randomFrom } from "../builders/random.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { temporaryDirectory } from "./offline-fixtures.ts";
import { byUser } from "./payment-fixtures.ts";
import {
  canary,
  canaryRecords,
  deleteCanary,
  fillDirectory,
  findCanary,
  leftIds,
  listFiles,
  purgedViews,
  surveyDirectory,
} from "./purge-fixtures.ts";

/**
 * Steps that change what files there are until the process is dead, and none of them succeeds any
 * more.
 */
const life = vi.hoisted(() => ({ stepsLeft: Infinity, isDead: false }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  const counted =
    <Args extends unknown[], T>(step: (...args: Args) => Promise<T>) =>
    async (...args: Args): Promise<T> => {
      if (life.stepsLeft-- <= 0) {
        life.isDead = true;
        throw new Error("the process is dead");
      }
      return step(...args);
    };
  return {
    ...original,
    link: counted(original.link),
    rename: counted(original.rename),
    rm: counted(original.rm),
    writeFile: counted(original.writeFile),
  };
});

interface Erased {
  readonly erase: Parameters<typeof deleteCanary>[1];
  readonly byView: () => Record<string, string[]>;
}

function collectErased(): Erased {
  const erased = new Map<string, Set<string>>(
    Object.keys(canaryRecords).map((view) => [view, new Set()]),
  );
  return {
    erase: ({ name }, entities) => {
      for (const entity of entities) erased.get(name)?.add(entity);
    },
    byView: () =>
      Object.fromEntries([...erased].map(([view, entities]) => [view, [...entities].sort()])),
  };
}

async function runOnce(
  directory: string,
  erased: Erased,
  views: readonly ViewDefinition[] = purgedViews,
): Promise<void> {
  const store = await openOfflineStore({ directory, memoryBytesMax: 128_000_000, threads: 1 });
  try {
    await deleteCanary(store, erased.erase, views);
  } finally {
    await store.close();
  }
}

/** Runs until the process dies. @returns whether it did. */
async function dieAfter(steps: number, run: () => Promise<void>): Promise<boolean> {
  life.stepsLeft = steps;
  life.isDead = false;
  try {
    await run();
  } catch (cause) {
    if (!life.isDead) throw cause;
  } finally {
    life.stepsLeft = Infinity;
  }
  return life.isDead;
}

async function expectFinished(
  directory: string,
  at: string,
  views: readonly ViewDefinition[] = purgedViews,
): Promise<void> {
  expect(await findCanary(directory), at).toEqual([]);
  const { ids, deleted, files } = await surveyDirectory(directory, views);
  const expected = Object.entries(leftIds).filter(([name]) => name in ids);
  expect(ids, at).toEqual(Object.fromEntries(expected));
  expect(deleted, at).toEqual([]);
  expect(files.filter((file) => file.includes(".writing-") || file.includes("duckdb-"))).toEqual(
    [],
  );
  const versions = files.map((file) => file.replace(/(~\d+)?\.parquet$/, ".parquet"));
  expect(new Set(versions).size, at).toBe(versions.length);
}

test("purge() and forgetPublished() end well however they were cut off", async () => {
  const views = [byUser];
  const filled = await temporaryDirectory();
  await fillDirectory(filled, views);
  let crashes = 0;
  for (let steps = 0; ; steps++) {
    const directory = join(await temporaryDirectory(), "store");
    await cp(filled, directory, { recursive: true, preserveTimestamps: true });
    const erased = collectErased();
    const run = () => runOnce(directory, erased, views);
    const isDead = await dieAfter(steps, run);
    if (isDead) await run();
    expect(erased.byView()["by_user"], `after ${steps} steps`).toEqual([canary]);
    await expectFinished(directory, `after ${steps} steps`, views);
    if (!isDead) break;
    crashes++;
  }
  expect(crashes).toBeGreaterThan(40);
}, 120_000);

const killedProcess = new URL("purge-process.ts", import.meta.url).pathname;

test("purge() and forgetPublished() end well after kills", async () => {
  const random = randomFrom(7);
  const directory = await temporaryDirectory();
  await fillDirectory(directory);
  for (let kill = 0; kill < 4; kill++) {
    const child = spawn(process.execPath, [killedProcess, directory], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => {
      child.kill("SIGKILL");
    });
    const closed = once(child, "close");
    await once(child.stdout, "data");
    await new Promise((resolve) => setTimeout(resolve, random.integer(0, 400)));
    child.kill("SIGKILL");
    await closed;
  }
  await runOnce(directory, collectErased());
  await expectFinished(directory, "after four kills");
}, 60_000);

const uuid = "0189a7c2-5b7e-7000-8000-000000000000";

test("purge() removes what dead processes were writing, and nothing that is being written", async () => {
  const directory = await temporaryDirectory();
  await fillDirectory(directory);
  const taken = takeTemporaryName(".writing");
  const spilling = takeTemporaryName("duckdb");
  onTestFinished(() => {
    giveBackName(spilling);
  });
  const [prefix, host] = taken.split("-") as [string, string];
  const child = spawn(process.execPath, ["--eval", ""]);
  await once(child, "close");
  const otherHost = host === "0" ? "1" : "0";
  const names = {
    taken,
    sameThreadGone: `${prefix}-${host}-${process.pid}-0-${uuid}`,
    otherThread: `${prefix}-${host}-${process.pid}-99-${uuid}`,
    running: `${prefix}-${host}-${process.ppid}-0-${uuid}`,
    dead: `${prefix}-${host}-${child.pid}-0-${uuid}`,
    otherHost: `${prefix}-${otherHost}-${child.pid}-0-${uuid}`,
    otherHostLongAgo: `${prefix}-${otherHost}-1-0-${uuid}`,
    before: `${prefix}-${uuid}`,
  };
  const places = ["", "payments/segments", "payments/corrections", "published"];
  for (const place of places) {
    for (const name of Object.values(names)) {
      await mkdir(join(directory, place, name, "day=1970-01-01"), { recursive: true });
      await writeFile(join(directory, place, name, "day=1970-01-01", "x.parquet"), canary);
    }
    await utimes(join(directory, place, names.otherHostLongAgo), 0, 0);
  }
  for (const name of [spilling, `duckdb-${uuid}`, "duckdb-notes"]) {
    await mkdir(join(directory, "tmp", name), { recursive: true });
    await utimes(join(directory, "tmp", name), 0, 0);
  }
  const elsewhere = await temporaryDirectory();
  const spilled = names.dead.replace(prefix, "duckdb");
  for (const name of [spilled, "duckdb-notes"]) await mkdir(join(elsewhere, name));
  const store = await openOfflineStore({
    directory,
    memoryBytesMax: 128_000_000,
    temporaryDirectory: elsewhere,
  });
  await deleteCanary(store, () => undefined);
  await store.close();
  expect(await readdir(elsewhere)).toEqual(["duckdb-notes"]);
  const { taken: ours, otherThread, running, otherHost: far, before } = names;
  const left = [ours, otherThread, running, far, before].sort();
  for (const place of places) {
    const found = (await readdir(join(directory, place))).filter((name) =>
      name.startsWith(".writing-"),
    );
    expect(found.sort(), place).toEqual(left);
  }
  expect((await readdir(join(directory, "tmp"))).sort()).toEqual(["duckdb-notes", spilling].sort());
  giveBackName(taken);
  await runOnce(directory, collectErased());
  expect((await listFiles(directory)).filter((file) => file.includes(taken))).toEqual([]);
});
