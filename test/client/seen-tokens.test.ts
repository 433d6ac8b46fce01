import fc from "fast-check";
import { expect, test } from "vitest";
import { clientLimits } from "../../src/client/client-limits.ts";
import { SeenTokens } from "../../src/client/seen-tokens.ts";
import { readSeen, writeSeen } from "../../src/http/seen-token.ts";
import { behindOf } from "../../src/serve/seen-view.ts";
import type { SeenView, ViewAnswer } from "../../src/serve/view-answer.ts";

const place = fc.integer({ min: 0, max: 5 });
const seenView: fc.Arbitrary<SeenView> = fc.record({
  cut: fc.integer({ min: -1, max: 3 }),
  positions: fc
    .dictionary(fc.constantFrom("main-0", "main-1"), place)
    .map((places) => new Map(Object.entries(places))),
});
const seenViews = fc.dictionary(fc.constantFrom("spend", "pages"), seenView);

function tokenOf(views: Readonly<Record<string, SeenView>>): string {
  return writeSeen(
    Object.entries(views).map(([name, seen]) => ({ view: { name }, seen }) as ViewAnswer),
  );
}

test("keep() asks for an answer that is behind neither of those seen, and for no more", () => {
  fc.assert(
    fc.property(seenViews, seenViews, seenView, (first, second, found) => {
      const tokens = new SeenTokens();
      tokens.keep("u", tokenOf(first));
      tokens.keep("u", tokenOf(second));
      const kept = readSeen(tokens.tokenOf("u"));
      for (const view of ["spend", "pages"]) {
        const isBehind = [first[view], second[view]].some((seen) => behindOf(found, seen) !== null);
        expect(behindOf(found, kept.get(view)) !== null).toBe(isBehind);
      }
    }),
    { numRuns: 500 },
  );
});

test("the entity that was not asked for for longest is forgotten first", () => {
  const tokens = new SeenTokens();
  const token = tokenOf({ spend: { cut: 1, positions: new Map() } });
  for (let i = 0; i < clientLimits.seenEntitiesMax; i++) tokens.keep(`u${i}`, token);
  tokens.keep("u0", token);
  tokens.keep("another", token);
  expect([tokens.tokenOf("u0"), tokens.tokenOf("u1"), tokens.tokenOf("u2")]).toEqual([
    ...[token, "", token],
  ]);
});
