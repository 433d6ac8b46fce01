/** What a token grants, as its claims say where the operator gave no mapping of their own. */

import * as z from "zod/mini";
import { limits } from "../core/limits.ts";
import { grantSchema } from "./key-record.ts";
import { scopes } from "./principal.ts";
import type { Grant, Scope } from "./principal.ts";

const grantsSchema = z.array(grantSchema).check(z.maxLength(limits.grantsMax));

/**
 * The claim `tilemark` is a list of grants, `[{workspace, scopes, services?}]`. Without it the words of
 * `scope` (or of `scp`, a text or a list) count that are `{scope}:{workspace}` or
 * `{scope}:{workspace}/{service}`; other words are for others.
 *
 * @throws SyntaxError for a claim `tilemark` that is none.
 * @example grantsOfClaims({ scope: "openid read:prod/fraud" });
 * // [{ workspace: "prod", scopes: ["read"], services: ["fraud"] }]
 */
export function grantsOfClaims(claims: Readonly<Record<string, unknown>>): readonly Grant[] {
  if (claims["tilemark"] !== undefined) {
    const parsed = grantsSchema.safeParse(claims["tilemark"]);
    if (parsed.success) return parsed.data;
    throw new SyntaxError('Cannot read claim "tilemark": it is not a list of grants');
  }
  return wordsOf(claims["scope"] ?? claims["scp"])
    .flatMap(readWord)
    .slice(0, limits.grantsMax);
}

function wordsOf(claim: unknown): readonly string[] {
  if (typeof claim === "string") return claim.split(" ");
  if (!Array.isArray(claim)) return [];
  return claim.filter((word): word is string => typeof word === "string");
}

function readWord(word: string): readonly Grant[] {
  const [, scope, workspace = "", service] = /^([a-z]+):([^/\s]+)(?:\/(\S+))?$/.exec(word) ?? [];
  if (!scopes.includes(scope as Scope)) return [];
  const services = service === undefined ? "all" : [service];
  return [{ workspace, scopes: [scope as Scope], services }];
}
