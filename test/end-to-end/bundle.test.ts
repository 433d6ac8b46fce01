import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { bundleWorker } from "../../scripts/cli/bundle-worker.ts";

const root = new URL("../..", import.meta.url).pathname;
const featuresFile = join(root, "scripts/demo/features.ts");

test.each([
  ["that serves", { serves: true }, 80],
  ["that is a home", {}, 112],
])(
  "the bundle of a worker %s is small, and has nothing of Arrow, DuckDB, jose or Node",
  async (_, options, gzipKibMax) => {
    const script = await bundleWorker(featuresFile, { ...options, minify: true });
    expect(gzipSync(script).length / 1024).toBeLessThanOrEqual(gzipKibMax);
    expect(script).not.toMatch(/apache-arrow|duckdb|jose|JWKS|from"node:/i);
  },
);

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
    expect(gzipSync(script).length).toBeLessThanOrEqual(125 * 1024);
  } finally {
    await rm(outDirectory, { recursive: true, force: true });
  }
}, 60_000);
