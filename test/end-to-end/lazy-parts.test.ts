/** A worker in bare workerd, where code from text is forbidden, with what it loads when asked. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleWorker, lazyModules } from "../../scripts/cli/bundle-worker.ts";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import type { DevServer } from "../../scripts/cli/dev-server.ts";

const featuresFile = new URL("../runtimes/features.ts", import.meta.url).pathname;
const arrowType = "application/vnd.apache.arrow.stream";

let stateDirectory: string;
let server: DevServer;

beforeAll(async () => {
  stateDirectory = await mkdtemp(join(tmpdir(), "tilemark-lazy-"));
  server = await startDevServer({ featuresFile, stateDirectory });
});
afterAll(async () => {
  await server.close();
  await rm(stateDirectory, { recursive: true });
});

test("a worker in workerd answers as an Arrow stream", async () => {
  const path = "/api/v1/feature-service/get-features-batch";
  const document = await (await fetch(`${server.url}/openapi.json`)).json();
  const { post } = (document as DocumentParts).paths[path] as { readonly post: Posted };
  const { examples } = post.requestBody.content["application/json"];
  const body = JSON.stringify(examples["prod.checkout"]?.value);
  const send = (accept: string) =>
    fetch(`${server.url}${path}`, {
      method: "POST",
      body,
      headers: { accept },
    });
  const answer = await send(arrowType);
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, arrowType]);
  const table = tableFromIPC(await answer.arrayBuffer());
  const json = (await (await send("application/json")).json()) as {
    readonly result: readonly { readonly features: readonly unknown[] }[];
  };
  expect(table.numRows).toBe(json.result.length);
  expect(table.numCols).toBe(json.result[0]?.features.length);
});

test("a worker in workerd answers its OpenAPI document as a page", async () => {
  const page = await fetch(`${server.url}/docs`);
  expect([page.status, page.headers.get("content-type")]).toEqual([
    200,
    "text/html; charset=UTF-8",
  ]);
});

test("what is loaded when asked is not in the worker's own module", async () => {
  const script = await bundleWorker(featuresFile, { lazyParts: true });
  expect(script).toContain('import("./arrow.mjs")');
  expect(script).not.toMatch(/RecordBatch|securitySchemes/);
  const modules = await lazyModules();
  expect(modules["arrow.mjs"]).toContain("RecordBatch");
  expect(modules["openapi.mjs"]).toContain("securitySchemes");
});

interface DocumentParts {
  readonly paths: Readonly<Record<string, { readonly post: Posted }>>;
}

interface Posted {
  readonly requestBody: {
    readonly content: {
      readonly "application/json": {
        readonly examples: Readonly<Record<string, { readonly value: unknown }>>;
      };
    };
  };
}
