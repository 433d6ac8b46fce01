/** The Lua script of guarded writes, and its arguments. Nothing of them is part of its text. */

import { Buffer } from "node:buffer";
import type { StoreWrite } from "../../src/store/online-store.ts";

/** What precedes the bytes of a value: random, and new for each write. */
export const nonceBytes = 8;

/**
 * For each key three arguments: the guard, the nonce it expects, and the new value, which is empty
 * for a delete. Answers 1 for each write that was applied, else 0.
 */
export const writeScript = `
local answers = {}
for i, key in ipairs(KEYS) do
  local guard, expected, value = ARGV[3 * i - 2], ARGV[3 * i - 1], ARGV[3 * i]
  local applies = true
  if guard == "absent" then
    applies = redis.call("EXISTS", key) == 0
  elseif guard == "version" then
    applies = redis.call("GETRANGE", key, 0, ${nonceBytes - 1}) == expected
  end
  if applies then
    if value == "" then redis.call("DEL", key) else redis.call("SET", key, value) end
  end
  answers[i] = applies and 1 or 0
end
return answers`;

const noBytes = Buffer.alloc(0);
const versionForm = new RegExp(`^[0-9a-f]{${2 * nonceBytes}}$`);

/** Whether a guard asks for a version that no write ever made. */
export function isUnknownVersion({ expectedVersion }: StoreWrite): boolean {
  return typeof expectedVersion === "string" && !versionForm.test(expectedVersion);
}

/** The three arguments of one write. */
export function writeArguments({ bytes, expectedVersion }: StoreWrite): (string | Buffer)[] {
  const value = bytes === null ? noBytes : Buffer.concat([newNonce(), bytes]);
  if (expectedVersion === undefined) return ["any", noBytes, value];
  if (expectedVersion === null) return ["absent", noBytes, value];
  return ["version", Buffer.from(expectedVersion, "hex"), value];
}

export function versionOf(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, nonceBytes).toString("hex");
}

function newNonce(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(nonceBytes));
}
