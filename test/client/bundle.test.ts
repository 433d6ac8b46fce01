import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";

const gzipBytesMax = 6 * 1024;
const entry = new URL("../../adapters/client/client.ts", import.meta.url).pathname;

test("the client has at most 6 KiB gzipped, and nothing of the server or of its packages", async () => {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    target: "es2022",
    platform: "browser",
    minify: true,
    legalComments: "none",
  });
  const bytes = gzipSync(outputFiles[0]?.contents ?? new Uint8Array()).length;
  expect(bytes, `${bytes} bytes`).toBeLessThanOrEqual(gzipBytesMax);
  expect(bytes).toBeGreaterThan(1024);
  const inputs = Object.keys(metafile.inputs);
  const foreign = inputs.filter((path) => !/^(src|adapters)\/client\/|host-clock\.ts$/.test(path));
  expect(foreign).toEqual([]);
});
