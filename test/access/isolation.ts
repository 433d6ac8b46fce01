/**
 * Two workspaces of one app with the same definitions and the same entities, over stores that answer
 * out of order: every value says whose it is, so that one foreign byte shows.
 */

import { randomBytes } from "node:crypto";
import { createHome } from "../../adapters/runtimes/server/create-home.ts";
import { openNodeSqlite } from "../../adapters/stores/node-sqlite-handle.ts";
import { newApiKey } from "../../src/access/api-key.ts";
import { readKeyRecords } from "../../src/access/key-record.ts";
import { sha256Hex } from "../../src/access/sha256.ts";
import { createApp } from "../../src/http/app.ts";
import { homeRoutes } from "../../src/http/home-routes.ts";
import type { Workspace } from "../../src/http/workspace.ts";
import {
  count,
  entity,
  last,
  lastDistinct,
  loadRepository,
  onDemandView,
  service,
  streamSource,
  streamView,
} from "../../src/index.ts";
import { MemoryStateTable } from "../../src/store/memory-state-table.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import type { OnlineStore } from "../../src/store/online-store.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";

const user = entity("user", { user_id: "string" });
const marks = streamSource("marks", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", mark: "string" },
});
const seen = streamView("seen", {
  entities: [user],
  source: marks,
  windowing: "continuous",
  features: { mark: [last("lifetime"), count("lifetime"), lastDistinct(9, "lifetime")] },
  compaction: { every: "1d" },
});
const echo = onDemandView("echo", {
  request: { said: "string" },
  inputs: { seen },
  output: { both: "string" },
  transform: ({ request, seen: { mark_last_lifetime_continuous: mark } }) => ({
    both: `${request.said} ${mark ?? ""}`,
  }),
});
const definitions = { user, marks, seen, echo, answers: service("answers", [seen, echo]) };

const names = ["alpha", "bravo"] as const;
type Name = (typeof names)[number];
const startMs = Date.parse("2026-03-01T12:00:00Z");
const userCount = 40;

export interface IsolationTally {
  readonly requests: number;
  /** Answers that hold a mark of the other workspace. */
  readonly foreign: number;
  /** Answers that are not what the workspace was last told. */
  readonly wrong: number;
  readonly refused: number;
  /** How many were under way at once, at most. */
  readonly atOnceMax: number;
}

interface Side {
  readonly name: Name;
  readonly key: string;
  /** By user, the number of marks whose ingest was acknowledged. */
  readonly known: number[];
}

/** @throws with the seed in its text when an answer is not what it has to be. */
export async function playIsolation(seed: number, requestCount: number): Promise<IsolationTally> {
  const random = randomFrom(seed);
  const { app, sides } = await build(random);
  let [foreign, wrong, refused, atOnce, atOnceMax, sent] = [0, 0, 0, 0, 0, 0];
  const worker = async () => {
    while (sent < requestCount) {
      sent += 1;
      atOnceMax = Math.max(atOnceMax, ++atOnce);
      const side = sides[random.integer(0, 2)] as Side;
      const other = sides[1 - names.indexOf(side.name)] as Side;
      const chance = random.next();
      const outcome =
        chance < 0.05
          ? await ingest(app, side, random)
          : await ask(app, { side, other, random, asOther: chance < 0.15 });
      atOnce -= 1;
      foreign += outcome === "foreign" ? 1 : 0;
      wrong += outcome === "wrong" ? 1 : 0;
      refused += outcome === "refused" ? 1 : 0;
    }
  };
  await Promise.all(Array.from({ length: 64 }, worker));
  return { requests: sent, foreign, wrong, refused, atOnceMax };
}

type Outcome = "right" | "wrong" | "foreign" | "refused";
type App = ReturnType<typeof createApp>;

async function ingest(app: App, { name, key, known }: Side, random: Random): Promise<Outcome> {
  const at = random.integer(0, userCount);
  const number = nextMark++;
  const ts = new Date(startMs - 1_000_000 + number).toISOString();
  const record = { ts, id: `m${number}`, user_id: `u${at}`, mark: `${name}-${number}` };
  const body = { workspace_name: name, dry_run: false, records: { marks: [{ record }] } };
  const { status, text } = await send(app, { path: "/ingest", body, key });
  if (text.includes(otherOf(name))) return "foreign";
  if (status !== 200) return "wrong";
  known[at] = (known[at] ?? 0) + 1;
  return "right";
}

let nextMark = 0;

async function ask(
  app: App,
  { side, other, random, asOther }: { side: Side; other: Side; random: Random; asOther: boolean },
): Promise<Outcome> {
  const at = random.integer(0, userCount);
  const atLeast = side.known[at] ?? 0;
  const row = { joinKeyMap: { user_id: `u${at}` }, requestContextMap: { said: side.name } };
  const head = { workspaceName: side.name, featureServiceName: "answers" };
  const isBatch = random.next() < 0.2;
  const params = isBatch ? { ...head, requestData: [row, row, row] } : { ...head, ...row };
  const path = `/api/v1/feature-service/get-features${isBatch ? "-batch" : ""}`;
  const { status, text } = await send(app, {
    path,
    body: { params },
    key: (asOther ? other : side).key,
  });
  if (asOther) {
    if (status === 403 && !/alpha|bravo/.test(text)) return "refused";
    return "foreign";
  }
  if (text.includes(otherOf(side.name))) return "foreign";
  const { result } = JSON.parse(text) as { result: Result | readonly Result[] };
  const results = Array.isArray(result) ? (result as readonly Result[]) : [result as Result];
  const isRight = results.every(({ features: [both, counted] }) => {
    return Number(counted) >= atLeast && String(both).startsWith(`${side.name} `);
  });
  return status === 200 && isRight ? "right" : "wrong";
}

interface Result {
  readonly features: readonly unknown[];
}

async function send(
  app: App,
  { path, body, key }: { readonly path: string; readonly body: object; readonly key: string },
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await app.request(`https://features.example${path}`, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { authorization: `Tecton-key ${key}` },
  });
  return { status: response.status, text: await response.text() };
}

async function build(
  random: Random,
): Promise<{ readonly app: App; readonly sides: readonly Side[] }> {
  const keys = await Promise.all(
    names.map(async (name) => {
      const { id, key } = newApiKey(randomBytes);
      const grants = [{ workspace: name, scopes: ["read", "ingest"] as const }];
      return {
        key,
        record: {
          id,
          name,
          grants: grants.map((grant) => ({ ...grant, scopes: [...grant.scopes] })),
          secrets: [{ sha256: await sha256Hex(key) }],
        },
      };
    }),
  );
  const app = createApp({
    homeRoutes,
    workspaces: names.map((name) => workspaceOf(name, random)),
    clock: { now: () => startMs, sleep: () => new Promise(() => undefined) },
    random: () => random.next(),
    testClock: false,
    access: {
      adminKeySha256: [],
      keys: readKeyRecords(keys.map(({ record }) => record)),
      background: (work) => void work,
    },
    report: (error) => {
      throw error;
    },
  });
  const sides = names.map((name, i) => ({
    name,
    key: keys[i]?.key ?? "",
    known: new Array<number>(userCount).fill(0),
  }));
  for (const side of sides) {
    for (let i = 0; i < userCount; i++) {
      if ((await ingest(app, side, random)) !== "right")
        throw new Error("The events were not taken");
    }
  }
  return { app, sides };
}

function workspaceOf(name: Name, random: Random): Workspace {
  // Loaded anew: equal definitions, and so equal names of records.
  const repository = loadRepository(definitions);
  const batch = unordered(new MemoryStore(), random);
  const streams = unordered(new MemoryStore(), random);
  const home = createHome({
    repository,
    batch,
    streams,
    state: new MemoryStateTable(),
    openLog: () => openNodeSqlite(":memory:"),
    logShardCount: 2,
    logRetentionMs: 0,
  });
  return { name, repository, homes: { batch, streams: [streams] }, home };
}

/** Each call takes some turns, so that those of requests overtake one another. */
function unordered(store: OnlineStore, random: Random): OnlineStore {
  const wait = async () => {
    for (let turns = random.integer(0, 6); turns > 0; turns--) await Promise.resolve();
    if (random.next() < 0.1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    capabilities: store.capabilities,
    readMany: async (keys) => {
      await wait();
      const found = await store.readMany(keys);
      await wait();
      return found;
    },
    write: async (writes) => {
      await wait();
      return store.write(writes);
    },
  };
}

function otherOf(name: Name): Name {
  return name === "alpha" ? "bravo" : "alpha";
}
