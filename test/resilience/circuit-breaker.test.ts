import { expect, test } from "vitest";
import { CircuitBreaker } from "../../src/store/resilient/circuit-breaker.ts";
import type { Permit } from "../../src/store/resilient/circuit-breaker.ts";

function createBreaker() {
  const changes: string[] = [];
  const breaker = new CircuitBreaker({
    failuresInRowMax: 3,
    openMs: 100,
    probeMs: 500,
    onChange: (change) => changes.push(change),
  });
  return { breaker, changes };
}

function settleAt(breaker: CircuitBreaker, outcome: "answered" | "failed", nowMs: number): void {
  breaker.settle(breaker.admit(nowMs) as Permit, outcome, nowMs);
}

function openAt(breaker: CircuitBreaker, nowMs: number): void {
  for (let i = 0; i < 3; i++) settleAt(breaker, "failed", nowMs);
}

test("CircuitBreaker opens after so many failures in a row, and not before", () => {
  const { breaker, changes } = createBreaker();
  for (const outcome of ["failed", "failed", "answered", "failed", "failed"] as const) {
    settleAt(breaker, outcome, 0);
  }
  expect(changes).toEqual([]);
  settleAt(breaker, "failed", 0);
  expect(changes).toEqual(["open"]);
  expect(breaker.admit(0)).toBeNull();
  expect(breaker.admit(99)).toBeNull();
});

test("CircuitBreaker lets one probe through after its pause, and closes when it is answered", () => {
  const { breaker, changes } = createBreaker();
  openAt(breaker, 0);
  const probe = breaker.admit(100);
  expect(probe).not.toBeNull();
  expect(breaker.admit(100)).toBeNull();
  expect(breaker.admit(599)).toBeNull();
  breaker.settle(probe as Permit, "answered", 120);
  expect([breaker.admit(120), breaker.admit(120)]).not.toContain(null);
  expect(changes).toEqual(["open", "halfOpen", "close"]);
});

test("CircuitBreaker pauses anew when the probe fails: one failure is enough", () => {
  const { breaker, changes } = createBreaker();
  openAt(breaker, 0);
  breaker.settle(breaker.admit(100) as Permit, "failed", 150);
  expect(breaker.admit(249)).toBeNull();
  expect(breaker.admit(250)).not.toBeNull();
  expect(changes).toEqual(["open", "halfOpen", "open", "halfOpen"]);
});

test("CircuitBreaker gives up a probe that never ends, and takes no news of it later", () => {
  const { breaker } = createBreaker();
  openAt(breaker, 0);
  const lost = breaker.admit(100) as Permit;
  const next = breaker.admit(600);
  expect(next).not.toBeNull();
  breaker.settle(lost, "answered", 610);
  expect(breaker.admit(610)).toBeNull();
  breaker.settle(next as Permit, "answered", 620);
  expect(breaker.admit(620)).not.toBeNull();
});

test("CircuitBreaker lets another read probe at once when a probe was cancelled", () => {
  const { breaker } = createBreaker();
  openAt(breaker, 0);
  breaker.settle(breaker.admit(100) as Permit, "cancelled", 110);
  expect(breaker.admit(110)).not.toBeNull();
  expect(breaker.admit(110)).toBeNull();
});

test("CircuitBreaker counts no cancelled read, and none that began before it opened", () => {
  const { breaker, changes } = createBreaker();
  const early = breaker.admit(0) as Permit;
  for (let i = 0; i < 9; i++) breaker.settle(breaker.admit(0) as Permit, "cancelled", 0);
  expect(changes).toEqual([]);
  openAt(breaker, 0);
  breaker.settle(early, "answered", 10);
  expect(breaker.admit(10)).toBeNull();
});

test("CircuitBreaker is not kept open by a clock that was set back", () => {
  const { breaker } = createBreaker();
  openAt(breaker, 1_000_000);
  expect(breaker.admit(1_000)).not.toBeNull();
});
