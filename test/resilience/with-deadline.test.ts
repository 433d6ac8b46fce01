import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { hostClock } from "../../adapters/host-clock.ts";
import { linkAbort } from "../../src/store/resilient/linked-abort.ts";
import { untilAborted } from "../../src/store/resilient/until-aborted.ts";
import { withDeadline } from "../../src/store/resilient/with-deadline.ts";
import { ManualClock } from "../builders/manual-clock.ts";

test("withDeadline() aborts when the time has passed, and not before", async () => {
  const clock = new ManualClock();
  const { signal, dispose } = withDeadline(clock, 100);
  await clock.advance(99);
  expect(signal.aborted).toBe(false);
  await clock.advance(1);
  expect(signal.reason).toMatchObject({ code: "STORE_UNAVAILABLE", retryable: true });
  expect((signal.reason as Error).message).toContain("100 ms");
  dispose();
  expect(clock.pendingCount).toBe(0);
});

test("withDeadline() follows another signal, and lets go of it and of its timer", async () => {
  const clock = new ManualClock();
  const request = new AbortController();
  const followed = withDeadline(clock, 100, request.signal);
  const disposed = withDeadline(clock, 100, request.signal);
  expect(getEventListeners(request.signal, "abort")).toHaveLength(2);
  disposed.dispose();
  expect(getEventListeners(request.signal, "abort")).toHaveLength(1);
  expect(clock.pendingCount).toBe(1);
  request.abort("gone");
  expect(followed.signal.reason).toBe("gone");
  await clock.advance(1_000);
  expect(followed.signal.reason).toBe("gone");
  followed.dispose();
  expect(clock.pendingCount).toBe(0);
  expect(withDeadline(clock, 100, request.signal).signal.reason).toBe("gone");
  expect(clock.pendingCount).toBe(0);
});

test("untilAborted() waits for work or its signal, and leaves no listener", async () => {
  const never = new Promise<string>(() => undefined);
  const { signal, abort } = linkAbort();
  expect(await untilAborted(Promise.resolve("done"), signal)).toBe("done");
  await expect(untilAborted(Promise.reject(new Error("failed")), signal)).rejects.toThrow("failed");
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
  const waiting = untilAborted(never, signal);
  abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(untilAborted(never, signal)).rejects.toThrow("enough");
  const late = untilAborted(Promise.reject(new Error("late")), signal);
  await expect(late).rejects.toThrow("enough");
  expect(getEventListeners(signal, "abort")).toHaveLength(0);
});

test("hostClock() sleeps, stops for an aborted signal, and leaves no listener", async () => {
  const clock = hostClock(3_600_000);
  const { signal } = new AbortController();
  const startMs = clock.now();
  await clock.sleep(20, signal);
  expect(clock.now() - startMs).toBeGreaterThanOrEqual(18);
  const plainMs = hostClock().now();
  expect(clock.now() - plainMs).toBeGreaterThanOrEqual(3_600_000);
  expect(getEventListeners(signal, "abort")).toHaveLength(0);

  const stopped = new AbortController();
  const sleep = clock.sleep(60_000, stopped.signal);
  stopped.abort(new Error("enough"));
  await expect(sleep).rejects.toThrow("enough");
  await expect(clock.sleep(60_000, stopped.signal)).rejects.toThrow("enough");
});
