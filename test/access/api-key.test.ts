import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { apiKeyId, newApiKey } from "../../src/access/api-key.ts";
import { judgeKey, readKeyRecords } from "../../src/access/key-record.ts";
import { equalDigests, sha256Hex } from "../../src/access/sha256.ts";
import { crc32 } from "../../src/core/crc32.ts";
import { forSeeds } from "../builders/random.ts";

test("crc32() is the one of IEEE 802.3", () => {
  // https://reveng.sourceforge.io/crc-catalogue/all.htm, CRC-32/ISO-HDLC, "check".
  expect(crc32("123456789")).toBe(0xcbf43926);
  expect(crc32("")).toBe(0);
});

test("newApiKey() makes keys that read back, each another, and of one form", () => {
  const keys = Array.from({ length: 200 }, () => newApiKey(randomBytes));
  expect(new Set(keys.map(({ key }) => key)).size).toBe(200);
  for (const { id, key } of keys) {
    expect(key).toMatch(/^tk_[0-9a-f]{12}_[A-Za-z0-9_-]{43}_[0-9a-f]{8}$/);
    expect(apiKeyId(key)).toBe(id);
  }
  const fixed = newApiKey((count) => new Uint8Array(count).fill(0xff));
  expect(fixed.key).toBe(`tk_ffffffffffff_${"_".repeat(42)}8_${crcOf(fixed.key)}`);
});

test("apiKeyId() takes no key of which one character is another", () => {
  const { key } = newApiKey(randomBytes);
  const digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-. ";
  forSeeds(300, (random) => {
    const at = random.integer(0, key.length);
    const other = random.pick([...digits].filter((digit) => digit !== key[at]));
    expect(apiKeyId(key.slice(0, at) + other + key.slice(at + 1))).toBeNull();
  });
  for (const text of ["", "tk_", ` ${key}`, `${key}\n`, key.toUpperCase(), key + key]) {
    expect(apiKeyId(text)).toBeNull();
  }
});

test("equalDigests() compares whole digests", async () => {
  const digest = await sha256Hex("abc");
  // FIPS 180-2, B.1.
  expect(digest).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect(equalDigests(digest, digest)).toBe(true);
  for (let i = 0; i < digest.length; i++) {
    const other = `${digest.slice(0, i)}${digest[i] === "0" ? "1" : "0"}${digest.slice(i + 1)}`;
    expect(equalDigests(digest, other)).toBe(false);
  }
  expect(equalDigests(digest, digest.slice(0, 63))).toBe(false);
  expect(equalDigests(digest, "")).toBe(false);
});

test("judgeKey() refuses an unknown id, also for the digest that stands in for it", () => {
  const digest = "0".repeat(64);
  expect(judgeKey(undefined, { digest, nowMs: 0 })).toBe("unknown");
});

test.each([
  ["text", "x", "a list of keys"],
  ["a key without an id", [{ name: "a", grants: [], secrets: [] }], '"0.id"'],
  [
    "a digest that is none",
    [{ id: "0".repeat(12), name: "a", grants: [], secrets: [{ sha256: "x" }] }],
    '"0.secrets.0.sha256"',
  ],
  [
    "three secrets",
    [
      {
        id: "0".repeat(12),
        name: "a",
        grants: [],
        secrets: Array(3).fill({ sha256: "0".repeat(64) }),
      },
    ],
    "at most 2 secrets",
  ],
])("readKeyRecords() refuses %s", (_, value, part) => {
  expect(() => readKeyRecords(value)).toThrow(part);
});

function crcOf(key: string): string {
  return crc32(key.slice(0, -9)).toString(16).padStart(8, "0");
}
