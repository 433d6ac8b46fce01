/** Bundles a feature repository with the serving entry into one module for workerd. */

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

export interface BundleOptions {
  readonly minify?: boolean;
  /** Where records are kept; Workers KV and Durable Objects if left out. */
  readonly stores?: "upstash";
  /** Answers alone, from the records of a home elsewhere. */
  readonly serves?: boolean;
  /** Imports Arrow and the OpenAPI document from modules beside the worker's: `lazyModules`. */
  readonly lazyParts?: boolean;
}

/** The text of the worker's module. @throws when the feature file does not bundle. */
export function bundleWorker(featuresFile: string, options: BundleOptions = {}): Promise<string> {
  return bundleEntry(workerEntry(resolve(featuresFile), options), options);
}

/** Bundles the text of an entry module. */
export async function bundleEntry(contents: string, options: BundleOptions = {}): Promise<string> {
  const result = await build({
    stdin: { contents, resolveDir: root, loader: "ts" },
    absWorkingDir: root,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["browser", "module", "main"],
    conditions: ["workerd", "worker", "browser", "import"],
    external: ["cloudflare:*", "./arrow.mjs", "./openapi.mjs"],
    alias: { tilemark: resolve(root, "src/index.ts") },
    minify: options.minify ?? false,
    legalComments: "none",
    logLevel: "silent",
  });
  const [output] = result.outputFiles;
  if (output === undefined) throw new Error("Cannot bundle the worker: esbuild wrote nothing");
  return output.text;
}

/** By its name the text of each module that a worker with `lazyParts` imports when it is asked for. */
export async function lazyModules(): Promise<Readonly<Record<string, string>>> {
  const source = (file: string) => JSON.stringify(resolve(root, "src/http", file));
  const [arrow, openApi] = await Promise.all(
    ["encodings/arrow/encode-arrow.ts", "openapi/openapi.ts"].map((file) =>
      bundleEntry(`export * from ${source(file)};`, { minify: true }),
    ),
  );
  return { "arrow.mjs": arrow as string, "openapi.mjs": openApi as string };
}

/** The entry that a deployed worker has too. What it does not use is not in the bundle. */
export function workerEntry(featuresFile: string, options: BundleOptions = {}): string {
  const { stores, serves = false, lazyParts = false } = options;
  const runtime = (file: string) => JSON.stringify(resolve(root, "adapters/runtimes", file));
  const imports = [
    `import * as features from ${JSON.stringify(featuresFile)};`,
    serves
      ? `import { createServingWorker } from ${runtime("cloudflare/serve.ts")};`
      : `import { createWorker } from ${runtime("cloudflare.ts")};`,
  ];
  if (stores === "upstash") {
    imports.push(
      `import { openUpstash as openStores } from ${runtime("cloudflare/open-upstash.ts")};`,
    );
  }
  const parts = [
    ...(stores === undefined ? [] : ["openStores"]),
    ...(lazyParts
      ? ['arrow: () => import("./arrow.mjs")', 'openApi: () => import("./openapi.mjs")']
      : []),
  ];
  const given = `(features, { ${parts.join(", ")} })`;
  if (serves) return `${imports.join("\n")}\nexport default createServingWorker${given};\n`;
  return `${imports.join("\n")}
const worker = createWorker${given};
export default worker.handler;
export const { LogShard, StreamShard, PublisherShard, RegionShard } = worker;
`;
}
