import { Hono } from "hono";
import { expect, test } from "vitest";
import { answerFailure } from "../../src/http/errors.ts";
import { observeRequests } from "../../src/http/observe-requests.ts";
import { requestClock } from "../../src/http/request-clock.ts";
import type { HttpEnv } from "../../src/http/request-clock.ts";
import { shedLoad } from "../../src/http/shed-load.ts";
import { Observation } from "../../src/observe/observation.ts";
import { ManualClock } from "../builders/manual-clock.ts";
import { randomFrom } from "../builders/random.ts";

const seed = 11;

/** Its route takes a second, or fails at once. */
function createCase() {
  const clock = new ManualClock();
  const app = new Hono<HttpEnv>();
  app.onError((error, c) => answerFailure(c, error, () => undefined));
  const observation = new Observation({ clock, random: () => 0 });
  app.use(observeRequests(observation), requestClock({ clock, testClock: false }));
  const { next: random } = randomFrom(seed);
  app.use("/api/*", shedLoad({ requestsInFlightMax: 2, random }));
  app.get("/healthz", (c) => c.text("ok"));
  app.get("/api/fail", () => {
    throw new Error("It fails");
  });
  app.get("/api/lost", () => new Promise<Response>(() => undefined));
  app.get("/api/slow", async (c) => {
    await clock.sleep(1_000);
    return c.text("done");
  });
  return { app, clock };
}

test("shedLoad() answers as many as it may at a time, and refuses one more", async () => {
  const { app, clock } = createCase();
  const taken = Promise.all(["/api/slow", "/api/slow"].map(async (path) => app.request(path)));
  const refused = await app.request("/api/slow");
  expect(refused.status).toBe(503);
  expect(await refused.json()).toEqual({
    error: expect.stringContaining("2 are being answered"),
    code: 14,
    message: expect.stringContaining("2 are being answered"),
  });
  expect(refused.headers.get("x-tilemark-retryable")).toBe("true");
  expect((await app.request("/healthz")).status).toBe(200);
  await clock.advance(1_000);
  expect((await taken).map(({ status }) => status)).toEqual([200, 200]);
  const next = app.request("/api/slow");
  await clock.advance(1_000);
  expect((await next).status).toBe(200);
});

test("shedLoad() spreads when refused clients come back: whole seconds, 1 or more", async () => {
  const { app } = createCase();
  void app.request("/api/lost");
  void app.request("/api/lost");
  const waits = new Set<string | null>();
  for (let i = 0; i < 100; i++) {
    waits.add((await app.request("/api/slow")).headers.get("retry-after"));
  }
  expect([...waits].sort(), `seed ${seed}`).toEqual(["1", "2", "3"]);
});

test("shedLoad() counts no request that has failed", async () => {
  const { app } = createCase();
  for (let i = 0; i < 5; i++) expect((await app.request("/api/fail")).status).toBe(500);
});

test("shedLoad() gives the place of a request that never ends to another one", async () => {
  const { app, clock } = createCase();
  void app.request("/api/lost");
  void app.request("/api/lost");
  await clock.advance(5_000);
  expect((await app.request("/api/fail")).status).toBe(503);
  await clock.advance(1);
  expect((await app.request("/api/fail")).status).toBe(500);
});
