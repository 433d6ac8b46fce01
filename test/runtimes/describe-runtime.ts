/** Runs the suite's cases in one runtime over every store that it can have. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { hostClock } from "../../adapters/host-clock.ts";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { backends } from "./backends.ts";
import type { BackendChoice } from "./backends.ts";
import { Closers } from "./closers.ts";
import { nowMs } from "./purchases.ts";
import { servingCases } from "./serving-cases.ts";
import type { ServingWorld } from "./serving-cases.ts";
import { ServingClient } from "./serving-client.ts";
import { startServer } from "./start-server.ts";
import type { ServedRuntime } from "./start-server.ts";

interface Combination {
  readonly runtime: ServedRuntime;
  readonly store: string;
  readonly choice: BackendChoice;
}

export function describeRuntime(runtime: ServedRuntime): void {
  for (const [store, choice] of Object.entries(backends)) {
    const reason = choice.missing[runtime];
    describe(`${runtime} × ${choice.title}`, () => {
      if (reason === undefined) defineCases(runtime, store, choice);
      else test(`cannot be: ${reason}`, (context) => context.skip(reason));
    });
  }
}

function defineCases(runtime: ServedRuntime, store: string, choice: BackendChoice): void {
  const closers = new Closers();
  let world: ServingWorld;
  beforeAll(async () => {
    world = await openWorld(closers, { runtime, store, choice });
  });
  afterAll(() => closers.close());
  for (const { name, run } of servingCases) test(name, () => run(world));
}

async function openWorld(
  closers: Closers,
  { runtime, store, choice }: Combination,
): Promise<ServingWorld> {
  const folder = await mkdtemp(join(tmpdir(), "tilemark-runtimes-"));
  closers.add(() => rm(folder, { recursive: true }));
  const backend = await choice.open(folder);
  closers.add(backend.close);
  const offline = await openOfflineStore({
    directory: join(folder, "offline"),
    memoryBytesMax: 128_000_000,
    threads: 1,
  });
  closers.add(() => offline.close());
  const directory = store === "memory" ? ":memory:" : join(folder, "state");
  const request = { store, address: backend.address, directory };
  let server = await startServer(runtime, { ...request, testClock: true });
  closers.add(() => server.stop());
  const world: ServingWorld = {
    client: new ServingClient(server.url, { offline, hasTestClock: true }),
    keeps: choice.keeps,
    restart: async () => {
      await server.kill();
      const clockOffsetMs = nowMs - hostClock().now();
      server = await startServer(runtime, { ...request, clockOffsetMs });
      world.client = new ServingClient(server.url, { offline, hasTestClock: false });
    },
  };
  return world;
}
