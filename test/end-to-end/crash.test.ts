import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CrashRuns } from "../../scripts/crash/crash-runs.ts";
import type { CrashPoint } from "../../scripts/crash/crash-runs.ts";
import { brackets } from "../../scripts/crash/play-brackets.ts";
import type { BracketName } from "../../scripts/crash/play-brackets.ts";
import { post, startServerProcess } from "./server-process.ts";

/** `npm run crash` takes each of these operations; here one of every twenty. */
const operationCount = 200;
const pointCount = 10;

describe("a server killed with SIGKILL after a store operation", () => {
  let directory: string;
  let runs: CrashRuns;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "tilemark-crash-"));
    runs = await CrashRuns.prepare(directory);
  });

  afterAll(() => rm(directory, { recursive: true, force: true }));

  test.each(Object.keys(brackets) as BracketName[])(
    "of %s loses nothing, counts nothing twice, and goes on to the same records",
    async (bracket) => {
      expect(runs.operations[bracket].length).toBeGreaterThanOrEqual(operationCount);
      const points = choosePoints(runs.operations[bracket].slice(0, operationCount), bracket);
      const reports = await runs.run(points);
      expect(reports.filter(({ faults }) => faults.length > 0)).toEqual([]);
      expect(reports.map(({ stopped }) => stopped)).not.toContain(null);
    },
    120_000,
  );
});

/** Spread evenly: of every so many operations the rarest one, since most are of a few kinds. */
function choosePoints(operations: readonly string[], bracket: BracketName): CrashPoint[] {
  const stride = operations.length / pointCount;
  const rarity = (operation: string) => operations.filter((each) => each === operation).length;
  return Array.from({ length: pointCount }, (_, i) => {
    const slice = operations.slice(i * stride, (i + 1) * stride).map(rarity);
    const rarest = slice.indexOf(Math.min(...slice));
    return { bracket, operation: i * stride + rarest + 1 };
  });
}

const features = new URL("crash-features.ts", import.meta.url).pathname;
const roundMs = 1500;
const userCount = 4;
/** Where the clock of the requests starts; it moves on a millisecond a request. */
const startMs = Date.UTC(2026, 0, 1);

function clock(nowMs: number): Record<string, string> {
  return { "x-tilemark-now": String(nowMs) };
}

test("a server killed with SIGKILL in the middle of ingest serves every acknowledged event, once", async () => {
  const state = await mkdtemp(join(tmpdir(), "tilemark-crash-"));
  const acknowledged = new Map<string, string[]>();
  let sent = 0;
  try {
    for (let round = 0; round < 2; round++) {
      const server = await startServerProcess([
        "--no-keys",
        "--features",
        features,
        "--state",
        state,
        "--test-clock",
      ]);
      let alive = true;
      const writer = async () => {
        while (alive) {
          sent += 1;
          const user = `u${sent % userCount}`;
          const id = `${round}-${sent}`;
          const nowMs = startMs + sent;
          const record = { ts: nowMs - 1000, id, user_id: user, group_id: "g" };
          const records = { events: [{ record }] };
          const body = { workspace_name: "prod", dry_run: false, records };
          const status = await post(`${server.url}/ingest`, body).then(
            (answer) => answer.status,
            () => 0,
          );
          if (status === 200) acknowledged.set(user, [...(acknowledged.get(user) ?? []), id]);
        }
      };
      const writers = [writer(), writer(), writer()];
      await new Promise((resolve) => setTimeout(resolve, roundMs));
      await server.kill();
      alive = false;
      await Promise.all(writers);
    }
    await expectAllServed(state, acknowledged, sent);
  } finally {
    await rm(state, { recursive: true, force: true });
  }
}, 60_000);

async function expectAllServed(
  state: string,
  acknowledged: ReadonlyMap<string, readonly string[]>,
  sent: number,
): Promise<void> {
  const server = await startServerProcess([
    "--no-keys",
    "--features",
    features,
    "--state",
    state,
    "--test-clock",
  ]);
  try {
    let groupCount = 0;
    for (const [user, ids] of acknowledged) {
      const answer = await getIds(server.url, user);
      expect(ids.length, "enough was acknowledged to mean something").toBeGreaterThan(5);
      expect(answer.userIds).toEqual(expect.arrayContaining([...ids]));
      expect(answer.userCount).toBe(answer.userIds.length);
      groupCount += answer.userCount;
      expect(answer.groupCount).toBeLessThanOrEqual(sent);
      expect(answer.groupIds).toEqual(expect.arrayContaining(ids.slice(-10)));
    }
    // Both views of an event have it, or neither has.
    expect((await getIds(server.url, "u0")).groupCount).toBe(groupCount);
  } finally {
    await server.stop();
  }
}

async function getIds(url: string, user: string) {
  const params = {
    workspaceName: "prod",
    featureServiceName: "ids",
    joinKeyMap: { user_id: user, group_id: "g" },
  };
  const path = `${url}/api/v1/feature-service/get-features`;
  const answer = await post(path, { params }, clock(startMs + 1_000_000));
  expect(answer.status).toBe(200);
  const { result } = answer.body as { readonly result: { readonly features: unknown[] } };
  const [groupCount, groupIds, userCountText, userIds] = result.features;
  return {
    groupCount: Number(groupCount),
    groupIds: groupIds as string[],
    userCount: Number(userCountText),
    userIds: userIds as string[],
  };
}
