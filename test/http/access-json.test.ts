/** JSON that is meant to change more than itself: names of prototypes anywhere, and depth. */

import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import { AccessApp } from "./access-app.ts";

const nowMs = Date.parse("2026-03-01T12:00:00Z");
const access = await AccessApp.build(nowMs);
const admin = `Tecton-key ${access.adminKey}`;

async function post(path: string, body: string, headers: Record<string, string> = {}) {
  const init = { method: "POST", body, headers: { "x-tilemark-workspace": "prod", ...headers } };
  const answer = await access.request(path, init, admin);
  return { status: answer.status, text: await answer.text() };
}

const paths = [
  "/api/v1/feature-service/get-features",
  "/api/v1/feature-service/get-features-batch",
  "/ingest",
  "/admin/start",
  "/admin/finish",
  "/admin/delete",
  "/admin/keys/create",
  "/admin/keys/rotate",
];

/** Each place of a body with each name in it, as JSON that no object literal could have. */
const poison = ["__proto__", "constructor", "prototype"].flatMap((name) => {
  const bad = `"${name}":{"polluted":true,"prototype":{"polluted":true}}`;
  return [
    `{${bad}}`,
    `{"params":{${bad}}}`,
    `{"params":{"featureServiceName":"fraud",${bad},"joinKeyMap":{"user_id":"u",${bad}},"requestContextMap":{"amt":1,${bad}},"metadataOptions":{${bad}},"requestOptions":{${bad}},"requestData":[{${bad},"joinKeyMap":{${bad}}}]}}`,
    `{"params":{"featureServiceName":"${name}","joinKeyMap":{}}}`,
    `{"workspace_name":"prod","dry_run":false,${bad},"records":{"clicks":[{${bad},"record":{${bad},"at":0,"user_id":"u"}}],${bad}},"partitions":{${bad}}}`,
    `{"workspace_name":"${name}","dry_run":false,"records":{}}`,
    `{"views":["${name}"],${bad},"compactor":{"offlineStore":"o","definitions":{${bad}}}}`,
    `{"entity":"${name}","joinKeyMap":{${bad}},"view":"${name}","fence":1}`,
    `{"name":"n","grants":[{"scopes":["read"],${bad}}],"rateLimit":{${bad}},${bad}}`,
  ];
});

test("names of prototypes in a body or a header change nothing but the answer", async () => {
  const before = Object.getOwnPropertyNames(Object.prototype);
  const tokens = ["__proto__", "constructor"].map((name) => {
    const token = `{"${name}":[1,{"${name}":1}]}`;
    return Buffer.from(token).toString("base64");
  });
  for (const path of paths) {
    for (const body of poison) {
      const { status, text } = await post(path, body);
      expect(status, `${path} ${body}: ${text}`).toBeLessThan(500);
      expect(text).not.toContain("polluted");
    }
  }
  for (const token of tokens) {
    const body = `{"params":{"featureServiceName":"fraud","joinKeyMap":{"user_id":"u"},"requestContextMap":{"amt":1}}}`;
    const { status } = await post(paths[0] as string, body, { "x-tilemark-seen": token });
    expect(status).toBeLessThan(500);
  }
  expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect((Object as { polluted?: unknown }).polluted).toBeUndefined();
  expect(access.reported).toEqual([]);
});

test("a body is taken at its deepest, and refused past it before anything walks it", async () => {
  const bodyOf = (levels: number) => {
    const inner = levels - 2;
    return `{"params":{"x":${"[".repeat(inner)}${"]".repeat(inner)}}}`;
  };
  const path = "/api/v1/feature-service/get-features";
  const deepest = await post(path, bodyOf(limits.jsonDepthMax));
  expect(deepest.text).toContain("featureServiceName");
  const message = `its JSON has more than ${limits.jsonDepthMax} levels`;
  expect(await post(path, bodyOf(limits.jsonDepthMax + 1))).toEqual({
    status: 400,
    text: expect.stringContaining(message),
  });
  expect((await post(path, bodyOf(200_000))).text).toContain(message);
  const objects = `{"params":${'{"a":'.repeat(40)}1${"}".repeat(41)}`;
  expect((await post(path, objects)).text).toContain(message);
});
