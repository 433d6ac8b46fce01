/** Runs the suite's cases in one runtime over every store that it can have. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { backends } from "./backends.ts";
import type { BackendChoice } from "./backends.ts";
import { nowMs } from "./purchases.ts";
import { servingCases } from "./serving-cases.ts";
import type { ServingWorld } from "./serving-cases.ts";
import { ServingClient } from "./serving-client.ts";
import { startServer } from "./start-server.ts";
import type { ServedRuntime } from "./start-server.ts";

interface OpenWorld extends ServingWorld {
  close(): Promise<void>;
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
  let world: OpenWorld;
  beforeAll(async () => {
    world = await openWorld(runtime, store, choice);
  });
  afterAll(() => world.close());
  for (const { name, run } of servingCases) test(name, () => run(world));
}

async function openWorld(
  runtime: ServedRuntime,
  store: string,
  choice: BackendChoice,
): Promise<OpenWorld> {
  const folder = await mkdtemp(join(tmpdir(), "tilemark-runtimes-"));
  const directory = store === "memory" ? ":memory:" : join(folder, "state");
  const { address, close } = await choice.open(directory);
  const offline = await openOfflineStore({
    directory: join(folder, "offline"),
    memoryBytesMax: 128_000_000,
    threads: 1,
  });
  const request = { store, address, directory };
  let server = await startServer(runtime, { ...request, testClock: true });
  const world: OpenWorld = {
    client: new ServingClient(server.url, offline, true),
    keeps: choice.keeps,
    restart: async () => {
      await server.kill();
      server = await startServer(runtime, { ...request, clockOffsetMs: nowMs - Date.now() });
      world.client = new ServingClient(server.url, offline, false);
    },
    close: async () => {
      await server.stop();
      await close();
      await offline.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}
