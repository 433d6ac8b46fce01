import { expect, test } from "vitest";
import { FeatureError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { buildTestApp } from "../builders/app.ts";
import { audit, nullable, repository } from "../http/features.ts";
import { nowMs, openWorld, outcomeOf, singlePath } from "./client-world.ts";
import type { ClientWorld } from "./client-world.ts";

/** Fails as often as it is told to, or holds what it is asked for. */
class FailingStore extends MemoryStore {
  failureCount = 0;
  gate: Promise<void> = Promise.resolve();

  override async readMany(...parts: Parameters<MemoryStore["readMany"]>) {
    await this.gate;
    if (this.failureCount === 0) return super.readMany(...parts);
    this.failureCount -= 1;
    throw new FeatureError("STORE_UNAVAILABLE", "Cannot read: no store", { retryable: true });
  }
}

function ask({ client }: ClientWorld, options = {}) {
  return client.getFeatures(audit, { joinKeys: { user_id: "u" } }, options);
}

/** Lets what is under way come to where it waits for the clock. */
async function untilAsleep({ clock }: ClientWorld, count: number): Promise<void> {
  for (let i = 0; i < 10_000 && clock.pendingCount < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(clock.pendingCount).toBe(count);
}

test("what a server calls retryable is sent again after a pause that grows", async () => {
  const batchStore = new FailingStore();
  const world = openWorld(buildTestApp(repository, { nowMs, batchStore }));
  batchStore.failureCount = 2;
  const answer = ask(world);
  await untilAsleep(world, 2);
  await world.clock.advance(24);
  expect(world.sent).toHaveLength(1);
  await world.clock.advance(1);
  await untilAsleep(world, 2);
  expect(world.sent).toHaveLength(2);
  await world.clock.advance(50);
  expect((await answer).statuses["user_audits.points_sum_7d_1d"]).toBe("MISSING_DATA");
  expect(world.sent).toHaveLength(3);
  expect(world.clock.pendingCount).toBe(0);
});

test("a server that is overloaded is left alone for as long as it asks", async () => {
  const batchStore = new FailingStore();
  const app = buildTestApp(repository, { nowMs, batchStore });
  const world = openWorld(app);
  let open = () => {};
  batchStore.gate = new Promise((resolve) => (open = resolve));
  const body = { params: { featureServiceName: "audit", joinKeyMap: { user_id: "u" } } };
  const others = Array.from({ length: limits.requestsInFlightMax }, () =>
    app.post(singlePath, body),
  );
  const answer = ask(world);
  await untilAsleep(world, 2);
  open();
  await Promise.all(others);
  await world.clock.advance(999);
  expect(world.sent).toHaveLength(1);
  await world.clock.advance(1);
  await answer;
  expect(world.sent).toHaveLength(2);
});

const invalid = { code: "INVALID_ANSWER", status: 200, retryable: false };
const page = "<!doctype html><title>Bad gateway</title>";

interface FailureCase {
  readonly name: string;
  readonly answer: () => Promise<Response> | Response;
  readonly tries: number;
  readonly expected: Readonly<Record<string, unknown>>;
}

/** What a proxy before the server, or the network, may do. */
const failures: readonly FailureCase[] = [
  {
    name: "a proxy's page with 502",
    answer: () => new Response(page, { status: 502 }),
    tries: 1,
    expected: { code: "HTTP_502", status: 502, retryable: false },
  },
  {
    name: "a proxy's page with 503",
    answer: () => new Response(page, { status: 503 }),
    tries: 3,
    expected: { code: "HTTP_503", status: 503, retryable: true },
  },
  {
    name: "429 that says when to come back",
    answer: () => new Response("{}", { status: 429, headers: { "retry-after": "0" } }),
    tries: 3,
    expected: { code: "HTTP_429", retryable: true },
  },
  {
    name: "429 that says to come back past the deadline",
    answer: () => new Response("{}", { status: 429, headers: { "retry-after": "2" } }),
    tries: 1,
    expected: { code: "HTTP_429", retryable: true },
  },
  {
    name: "429 that names an instant past the deadline",
    answer: () => {
      const comeBackAt = new Date(nowMs + 60_000).toUTCString();
      return new Response("{}", { status: 429, headers: { "retry-after": comeBackAt } });
    },
    tries: 1,
    expected: { code: "HTTP_429" },
  },
  {
    name: "a fault of the request, whatever its header says",
    answer: () => {
      const headers = { "x-tilemark-error": "CONFLICT", "x-tilemark-retryable": "true" };
      return Response.json({ message: "Cannot read" }, { status: 409, headers });
    },
    tries: 1,
    expected: { code: "CONFLICT", status: 409, retryable: false, message: "Cannot read" },
  },
  {
    name: "503 that is not retryable",
    answer: () => new Response("", { status: 503, headers: { "x-tilemark-retryable": "false" } }),
    tries: 1,
    expected: { status: 503, retryable: false },
  },
  {
    name: "a network that breaks off",
    answer: () => Promise.reject(new TypeError("fetch failed")),
    tries: 3,
    expected: { code: "NETWORK", status: null, retryable: true },
  },
  ...[
    { name: "a page in the place of an answer", answer: () => new Response(page) },
    { name: "JSON of another form", answer: () => Response.json({ result: {} }) },
    { name: "JSON that is null", answer: () => Response.json(null) },
    {
      name: "fewer values than features",
      answer: () => Response.json({ result: { features: [] }, metadata: { features: [{}] } }),
    },
    {
      name: "a value of another type",
      answer: () => Response.json(answerOf("int64", "1.5")),
    },
    { name: "a type of another version", answer: () => Response.json(answerOf("uuid", "a")) },
  ].map((each) => ({ ...each, tries: 1, expected: invalid })),
];

test.each(failures)("after $name", async ({ answer, tries, expected }) => {
  const world = openWorld(async () => answer());
  const outcome = outcomeOf(ask(world));
  await world.clock.advance(1_900);
  expect(await outcome).toMatchObject({ error: { name: "TilemarkError", ...expected } });
  expect(world.sent).toHaveLength(tries);
  expect(world.clock.pendingCount).toBe(0);
});

test("no more than a tenth of the requests is sent again, save for the first few", async () => {
  const world = openWorld(async () => new Response("", { status: 503 }), { batch: false });
  const outcomes = Array.from({ length: 200 }, () => outcomeOf(ask(world)));
  await world.clock.advance(1_900);
  await Promise.all(outcomes);
  expect(world.sent.length - 200).toBe(10);
  for (let i = 0; i < 100; i++) {
    const outcome = outcomeOf(ask(world));
    await world.clock.advance(1_900);
    await outcome;
  }
  const retryCount = world.sent.length - 300;
  expect(retryCount).toBeGreaterThanOrEqual(19);
  expect(retryCount).toBeLessThanOrEqual(20);
});

test("records are sent again under a name, and not without", async () => {
  const world = openWorld(async () => new Response("", { status: 503 }));
  const { client, clock, sent } = world;
  for (const [options, tries] of [
    [{}, 1],
    [{ idempotencyKey: "a" }, 3],
  ] as const) {
    const before = sent.length;
    const outcome = outcomeOf(client.ingest(client.source("transactions"), [{}], options));
    await clock.advance(1_900);
    expect(await outcome).toMatchObject({ error: { code: "HTTP_503" } });
    expect(sent.length - before).toBe(tries);
  }
});

test("a call ends with its deadline, and takes the request with it", async () => {
  const world = openWorld(buildTestApp(repository, { nowMs }));
  world.close();
  const { signal } = new AbortController();
  const outcomes = [
    outcomeOf(ask(world, { signal })),
    outcomeOf(ask(world, { deadlineMs: 100 })),
    outcomeOf(world.client.getFeatures(nullable, { joinKeys: { user_id: "u" } })),
  ];
  await world.clock.advance(100);
  expect(await outcomes[1]).toMatchObject({ error: { code: "DEADLINE", name: "TimeoutError" } });
  await world.clock.advance(1_899);
  expect(world.sent.map((request) => request.signal.aborted)).toEqual([false, false]);
  await world.clock.advance(1);
  for (const outcome of [outcomes[0], outcomes[2]]) {
    expect(await outcome).toMatchObject({ error: { code: "DEADLINE", retryable: true } });
  }
  expect(world.sent.map((request) => request.signal.aborted)).toEqual([true, true]);
  await world.clock.advance(10_000);
  expect(world.sent).toHaveLength(2);
  expect(world.clock.pendingCount).toBe(0);
});

test("a pause between tries ends when nobody waits any longer", async () => {
  const world = openWorld(async () => new Response("", { status: 503 }), { backoffMs: 1_000 });
  const abort = new AbortController();
  const outcome = outcomeOf(ask(world, { signal: abort.signal }));
  await untilAsleep(world, 2);
  abort.abort();
  expect(await outcome).toMatchObject({ error: { name: "AbortError" } });
  await world.clock.advance(10_000);
  expect(world.sent).toHaveLength(1);
  expect(world.clock.pendingCount).toBe(0);
});

function answerOf(type: string, value: unknown): object {
  return {
    result: { features: [value] },
    metadata: { features: [{ name: "a", dataType: { type }, status: "PRESENT" }] },
  };
}
