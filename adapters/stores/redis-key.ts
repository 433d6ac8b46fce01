/**
 * Names of keys in Redis. A Cluster places a key by its hash tag, the part in braces, and one
 * command reaches the keys of one place alone. So the entity of a record is its tag:
 *
 *   tm/user_spend/1f3a/u42/b      tm/user_spend/1f3a/{u42}/b
 *   tm/user_spend/1f3a/a{b/s      tm/user_spend/1f3a/{a\(b}/s
 *   tm/gone/77ab                  tm/gone/77ab
 *
 * A brace of the name itself is written with a backslash, and so is a backslash: no two names
 * become one.
 */

/** View, fingerprint, the entity, and which record of it. No entity's name holds a slash. */
const recordKey = /^(tm\/[^/]+\/[^/]+\/)([^/]+)(\/[bs])$/;

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "{": "\\(", "}": "\\)" };

export function redisKey(key: string): string {
  const escaped = key.replace(/[\\{}]/g, (unit) => escapes[unit] as string);
  return escaped.replace(recordKey, "$1{$2}$3");
}

/** What places a key: its hash tag, or all of it. */
export function placeOf(redisKey: string): string {
  return /\{(.+)\}/.exec(redisKey)?.[1] ?? redisKey;
}
