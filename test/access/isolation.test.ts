import { expect, test } from "vitest";
import { playIsolation } from "./isolation.ts";

const seed = 20_260_301;

test(`two workspaces under interleaved requests have no byte of each other, seed ${seed}`, async () => {
  const tally = await playIsolation(seed, 4_000);
  expect(tally).toMatchObject({ requests: 4_000, foreign: 0, wrong: 0, atOnceMax: 64 });
  expect(tally.refused).toBeGreaterThan(200);
}, 60_000);
