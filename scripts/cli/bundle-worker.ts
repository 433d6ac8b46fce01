/** Bundles a feature repository with the serving entry into one module for workerd. */

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export interface BundleOptions {
  readonly minify?: boolean;
  /** Where records are kept; Workers KV and Durable Objects if left out. */
  readonly stores?: "upstash";
}

/** The text of the worker's module. @throws when the feature file does not bundle. */
export function bundleWorker(featuresFile: string, options: BundleOptions = {}): Promise<string> {
  return bundleEntry(workerEntry(resolve(featuresFile), options), options);
}

/** Bundles the text of an entry module. */
export async function bundleEntry(contents: string, options: BundleOptions = {}): Promise<string> {
  const result = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["browser", "module", "main"],
    conditions: ["workerd", "worker", "browser", "import"],
    external: ["cloudflare:*"],
    alias: { tilemark: resolve(root, "src/index.ts") },
    minify: options.minify ?? false,
    legalComments: "none",
    logLevel: "silent",
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error("Cannot bundle the worker: esbuild wrote nothing");
  return output.text;
}

/** The entry that a deployed worker has too. What it does not use is not in the bundle. */
export function workerEntry(featuresFile: string, { stores }: BundleOptions = {}): string {
  const runtime = (file: string) => JSON.stringify(resolve(root, "adapters/runtimes", file));
  const imports = [
    `import * as features from ${JSON.stringify(featuresFile)};`,
    `import { createWorker } from ${runtime("cloudflare.ts")};`,
  ];
  if (stores === "upstash") {
    imports.push(
      `import { openUpstash as openStores } from ${runtime("cloudflare/open-upstash.ts")};`,
    );
  }
  return `${imports.join("\n")}
const worker = createWorker(features${stores === undefined ? "" : ", { openStores }"});
export default worker.handler;
export const { LogShard, StreamShard, PublisherShard, RegionShard } = worker;
`;
}
