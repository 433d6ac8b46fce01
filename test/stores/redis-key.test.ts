import { expect, test } from "vitest";
import { placeOf, redisKey } from "../../adapters/stores/redis-key.ts";
import { batchKey, entityKey, streamKey, tombstoneKey } from "../../src/tile/keys.ts";
import { randomFrom } from "../builders/random.ts";

const names: readonly [key: string, name: string, place: string][] = [
  ["tm/user_spend/1f3a/u42/b", "tm/user_spend/1f3a/{u42}/b", "u42"],
  ["tm/user_spend/1f3a/u42/s", "tm/user_spend/1f3a/{u42}/s", "u42"],
  ["tm/other/77/u42/s", "tm/other/77/{u42}/s", "u42"],
  ["tm/v/f/a{b/b", "tm/v/f/{a\\(b}/b", "a\\(b"],
  ["tm/v/f/{x}/b", "tm/v/f/{\\(x\\)}/b", "\\(x\\)"],
  ["tm/v/f/a\\(b/b", "tm/v/f/{a\\\\(b}/b", "a\\\\(b"],
  ["tm/v/f/a%2fb|c/b", "tm/v/f/{a%2fb|c}/b", "a%2fb|c"],
  ["tm/v/f/日本/b", "tm/v/f/{日本}/b", "日本"],
  ["tm/v/f/$&$1/b", "tm/v/f/{$&$1}/b", "$&$1"],
  // An empty tag is none in Redis: the whole name places the key.
  ["tm/v/f//b", "tm/v/f//b", "tm/v/f//b"],
  ["tm/gone/77ab", "tm/gone/77ab", "tm/gone/77ab"],
  ["tm/v/f/a/x", "tm/v/f/a/x", "tm/v/f/a/x"],
  ["tm/v/f/a/b\n", "tm/v/f/a/b\n", "tm/v/f/a/b\n"],
  ["other/{a}/b", "other/\\(a\\)/b", "other/\\(a\\)/b"],
  ["", "", ""],
];

test.each(names)("redisKey() names %j %j", (key, name, place) => {
  expect(redisKey(key)).toBe(name);
  expect(placeOf(name)).toBe(place);
});

test("redisKey() gives all records of an entity one place, and no two keys one name", () => {
  const random = randomFrom(7);
  const units = ["{", "}", "\\", "(", ")", "%", "/", "|", "a", "b", "é"];
  const anyText = () =>
    Array.from({ length: random.integer(1, 6) }, () => random.pick(units)).join("");
  const keys = new Set<string>();
  for (let i = 0; i < 20_000; i++) {
    const entity = entityKey([anyText()]);
    const view = { name: random.pick(["one", "two"]), fingerprint: "f" };
    const records = [batchKey(view, entity), streamKey(view, entity)];
    const places = new Set(records.map((key) => placeOf(redisKey(key))));
    expect(places.size).toBe(1);
    for (const key of [...records, tombstoneKey({ name: "user", joinKeys: [] }, entity)]) {
      keys.add(key);
    }
    keys.add(`tm/v/f/${anyText()}/b`).add(anyText());
  }
  expect(keys.size).toBeGreaterThan(20_000);
  expect(new Set([...keys].map(redisKey)).size).toBe(keys.size);
});
