/** Entities as text in SQL, spelt as `entityKey` spells them. */

import type { ScalarType } from "../../../src/core/value.ts";

export interface KeyExpression {
  readonly type: ScalarType;
  /** Of the type that the files hold. */
  readonly sql: string;
}

/** `entityKey` of some expressions; null where one of them is. */
export function entitySql(keys: readonly KeyExpression[]): string {
  return keys
    .map(({ type, sql }) => (type === "string" ? escapeSql(sql) : `CAST(${sql} AS VARCHAR)`))
    .join(" || '|' || ");
}

/** `count` of the join keys of an entity's text, from the one at `index` on, as the text of another. */
export function entityPartSql(
  entity: string,
  { index, count }: { readonly index: number; readonly count: number },
): string {
  return `array_to_string(string_split(${entity}, '|')[${index + 1}:${index + count}], '|')`;
}

const controls = [...Array.from({ length: 32 }, (_, code) => code), 127];

/** What is escaped in a key, "%" first, so that the escapes are not escaped again. */
const escapedCodes = ["%", "|", "/"].map((sign) => sign.charCodeAt(0)).concat(controls);

/** Few texts hold anything to escape, so that the replacements hardly ever run. */
function escapeSql(text: string): string {
  const replaced = escapedCodes.reduce(
    (sql, code) => `replace(${sql}, chr(${code}), '%${code.toString(16).padStart(2, "0")}')`,
    text,
  );
  return `CASE WHEN regexp_matches(${text}, '[%|/[:cntrl:]]') THEN ${replaced} ELSE ${text} END`;
}
