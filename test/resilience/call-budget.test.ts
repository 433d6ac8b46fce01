import { expect, test } from "vitest";
import { CallBudget } from "../../src/store/resilient/call-budget.ts";

function grantedOver(readCount: number, options: ConstructorParameters<typeof CallBudget>[0]) {
  const budget = new CallBudget(options);
  let granted = 0;
  for (let i = 0; i < readCount; i++) {
    budget.earn();
    if (budget.spend()) granted += 1;
  }
  return granted;
}

const cases: readonly [share: number, reads: number, granted: number][] = [
  [0.1, 1, 1],
  [0.1, 10, 1],
  [0.1, 1_000, 100],
  [0.05, 10_000, 500],
  [0.5, 1, 1],
  [0, 1_000, 0],
];

test.each(cases)("CallBudget with a share of %f grants in %i reads %i calls", (...row) => {
  const [share, reads, expected] = row;
  const granted = grantedOver(reads, { share, savedMax: 10 });
  expect(granted).toBeGreaterThanOrEqual(expected);
  expect(granted).toBeLessThanOrEqual(expected + (share === 0 ? 0 : 1));
});

test("CallBudget saves up to its limit and no more", () => {
  const budget = new CallBudget({ share: 0.1, savedMax: 3 });
  for (let i = 0; i < 1_000; i++) budget.earn();
  expect([1, 2, 3, 4].map(() => budget.spend())).toEqual([true, true, true, false]);
});
