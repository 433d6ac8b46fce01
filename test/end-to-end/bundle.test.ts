import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundleWorker } from "../../scripts/cli/bundle-worker.ts";

const root = new URL("../..", import.meta.url).pathname;
const gzipBytesMax = 100 * 1024;

test("the worker's bundle has at most 100 KiB gzipped, and nothing of Arrow, DuckDB or Node", async () => {
  const script = await bundleWorker(join(root, "scripts/demo/features.ts"), { minify: true });
  expect(gzipSync(script).length).toBeLessThanOrEqual(gzipBytesMax);
  expect(script).not.toMatch(/apache-arrow|duckdb|from"node:|JWKSNoMatchingKey/i);
});

test("wrangler bundles the demo from wrangler.toml in a dry run", async () => {
  const outDirectory = await mkdtemp(join(tmpdir(), "tilemark-wrangler-"));
  try {
    await promisify(execFile)(
      process.execPath,
      [
        "node_modules/wrangler/bin/wrangler.js",
        ...["deploy", "--dry-run", "--minify", "--outdir", outDirectory],
      ],
      { cwd: root, env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" } },
    );
    const script = await readFile(join(outDirectory, "worker.js"));
    expect(gzipSync(script).length).toBeLessThanOrEqual(gzipBytesMax);
  } finally {
    await rm(outDirectory, { recursive: true, force: true });
  }
}, 60_000);
