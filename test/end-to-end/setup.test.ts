/** Every block of `adapters/runtimes/README.md`, checked and run. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startDevServer } from "../../scripts/cli/dev-server.ts";
import { startBoundProcess } from "../builders/bound-process.ts";
import type { BoundProcess } from "../builders/bound-process.ts";
import { startLocalDynamodb } from "../builders/dynamodb-local.ts";
import { startRedisCluster } from "../builders/redis-cluster.ts";
import { freePort, startRedis } from "../builders/redis-server.ts";
import { startUpstashOnRedis } from "../builders/upstash-bridge-on-redis.ts";
import { post } from "./server-process.ts";

const root = new URL("../..", import.meta.url).pathname;
const ground = join(root, ".tilemark/setup-test");
// Somewhere down the clone, where "tilemark" is this package.
const directory = join(ground, "anywhere/below");
const readme = await readFile(join(root, "adapters/runtimes/README.md"), "utf8");
const modules = blocks(readme, "ts").map(readModule);
const servers = modules.filter(({ command }) => command !== null);

interface Module {
  readonly file: string;
  /** What starts it; null for a worker. */
  readonly command: readonly string[] | null;
  readonly text: string;
}

const closers: (() => Promise<unknown>)[] = [];
/** By the variables that modules read. */
const environment: Record<string, string> = {};
let clusterUrl: string;

beforeAll(async () => {
  await rm(ground, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  const [features] = blocks(await readFile(join(root, "README.md"), "utf8"), "ts");
  await writeFile(join(directory, "features.ts"), features ?? "");
  for (const { file, text } of modules) {
    await writeFile(join(directory, file), text.replaceAll(/878[78]/g, "0"));
  }
  for (const text of blocks(readme, "toml")) {
    const name = /^# (\S+\.toml)$/m.exec(text)?.[1] ?? "";
    await writeFile(join(directory, name), text);
  }
  await openStores();
}, 120_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
  await rm(ground, { recursive: true, force: true });
});

test("the modules of the set-up have no type errors", async () => {
  const config = {
    extends: join(root, "tsconfig.json"),
    include: ["*.ts", join(root, "adapters/**/*.d.ts")],
  };
  await writeFile(join(directory, "tsconfig.json"), JSON.stringify(config));
  // What is used of Deno, which the project has no types of.
  const values = `import("${join(root, "adapters/stores/deno-kv-values.ts")}")`;
  const deno = `declare const Deno: { openKv(path: string): Promise<${values}.KvDatabase> };\n`;
  await writeFile(join(directory, "deno.d.ts"), deno);
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const checked = await run(process.execPath, [tsc, "--project", directory]);
  expect(checked).toEqual({ code: 0, output: "" });
}, 120_000);

test.each(servers.filter(({ file }) => file !== "region.ts"))(
  "$file serves, and has its records after it was killed",
  async (module) => {
    const server = await startModule(module);
    await ingest(server.url, module.file);
    expect(await countOf(server.url, module.file)).toBe("1");
    server.process.signal("SIGKILL");
    await server.process.ended;
    const again = await startModule(module);
    expect(await countOf(again.url, module.file)).toBe("1");
  },
);

test("npx runs the runtimes that are installed with the package", async () => {
  const runtimes = new Set(servers.map(({ command }) => command?.[0] ?? ""));
  expect([...runtimes].sort()).toEqual(["bun", "deno", "node"]);
  for (const runtime of runtimes) {
    const installed = await run(join(root, "node_modules/.bin", runtime), ["--version"]);
    expect(await run("npx", [runtime, "--version"])).toEqual(installed);
    expect(installed.code).toBe(0);
  }
});

test.each(["redis.ts", "split.ts"])(
  "%s says that no Redis is there, and waits for it",
  async (file) => {
    const port = await freePort();
    const waiting = await launchModule(moduleOf(file), { REDIS_URL: `redis://127.0.0.1:${port}` });
    await waiting.written("ECONNREFUSED", 20_000);
    const redis = await startRedis({ port });
    onTestFinished(() => redis.stop());
    await waiting.written("Listening on ", 20_000);
  },
);

test("redis-cluster.ts tries again where no Redis is there", async () => {
  const REDIS_URL = `redis://127.0.0.1:${await freePort()}`;
  const waiting = await launchModule(moduleOf("redis-cluster.ts"), { REDIS_URL });
  const attempts = () => waiting.output().stderr.match(/^ClusterAllFailedError/gm) ?? [];
  await expect.poll(() => attempts().length, { timeout: 20_000 }).toBeGreaterThan(2);
});

test("region.ts follows home.ts, which the command for compactions compacts", async () => {
  const home = await startModule(moduleOf("home.ts"));
  const region = await startModule(moduleOf("region.ts"), { TILEMARK_HOME: home.url });
  await ingest(home.url, "followed");
  await expect.poll(() => countOf(region.url, "followed"), { timeout: 5_000 }).toBe("1");

  const line = shellLines().find((each) => each.includes(" compact ")) ?? "";
  const [command = "", ...args] = line
    .replace("npm run tilemark --", `${process.execPath} ${join(root, "scripts/cli/tilemark.ts")}`)
    .replace("http://127.0.0.1:8787", home.url)
    .split(" ");
  const compactions = await startBoundProcess([command, ...args], { directory });
  onTestFinished(() => compactions.stop());
  await compactions.written("Compacted in", 30_000);
  expect(compactions.output().stdout).toMatch(/^spend: \d+ rows, \d+ keys/m);
  expect(await countOf(home.url, "followed")).toBe("1");
  expect(await countOf(region.url, "followed")).toBe("1");
});

test("the commands of wrangler are there, and each configuration passes a dry run", async () => {
  const [upload, ...others] = shellLines()
    .filter((line) => line.startsWith("npx wrangler "))
    .map((line) => line.split(" ").slice(2))
    .sort((a, b) => Number(b.includes("--dry-run")) - Number(a.includes("--dry-run")));
  expect(upload).toEqual(["deploy", "--dry-run"]);
  for (const command of others) {
    // It would ask for an account.
    const { code, output } = await wrangler([...command, "--help"]);
    expect(output).toContain(`wrangler ${command.slice(0, -1).join(" ")}`);
    expect(code).toBe(0);
  }
  for (const config of ["wrangler.toml", "wrangler.region.toml", "wrangler.serving.toml"]) {
    const { code, output } = await wrangler(["deploy", "--dry-run", "--config", config]);
    expect(output).toContain("--dry-run: exiting now");
    expect(code).toBe(0);
  }
}, 120_000);

test.each(["worker.ts", "upstash-worker.ts"])("%s answers as wrangler bundles it", async (file) => {
  const config = (await readFile(join(directory, "wrangler.toml"), "utf8")).replace(
    `"worker.ts"`,
    JSON.stringify(file),
  );
  await writeFile(join(directory, `${file}.toml`), config);
  const dryRun = ["deploy", "--dry-run", "--config", `${file}.toml`, "--outdir", `${file}.bundle`];
  expect(await wrangler(dryRun)).toMatchObject({ code: 0 });
  const bundle = join(directory, `${file}.bundle`, file.replace(/ts$/, "js"));
  const server = await startDevServer({
    featuresFile: join(directory, "features.ts"),
    script: await readFile(bundle, "utf8"),
    bindings: environment,
    stateDirectory: join(directory, `${file}.state`),
  });
  onTestFinished(() => server.close());
  await ingest(server.url, file);
  expect(await countOf(server.url, file)).toBe("1");
});

async function openStores(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tilemark-setup-"));
  closers.push(() => rm(folder, { recursive: true }));
  const config = join(folder, "redis.conf");
  await writeFile(config, blocks(readme, "conf")[0] ?? "");
  const port = await freePort();
  const settings = ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder];
  const redis = await startBoundProcess(["redis-server", config, ...settings]);
  closers.push(() => redis.stop());
  await redis.written("Ready to accept connections", 20_000);
  const cluster = await startRedisCluster();
  closers.push(() => cluster.stop());
  const upstash = await startUpstashOnRedis();
  closers.push(() => upstash.close());
  const dynamodb = await startLocalDynamodb();
  closers.push(() => dynamodb.close());
  clusterUrl = `redis://127.0.0.1:${cluster.nodes[0]?.port}`;
  Object.assign(environment, {
    REDIS_URL: `redis://127.0.0.1:${port}`,
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
    AWS_ACCESS_KEY_ID: "local",
    AWS_SECRET_ACCESS_KEY: "local",
    DYNAMODB_ENDPOINT: dynamodb.options.endpoint,
  });
}

/** Its first line is the command that starts it, after `npx`, or the file alone. */
function readModule(text: string): Module {
  const [, line = ""] = /^\/\/ (.*)\n/.exec(text) ?? [];
  const file = /\S+\.ts/.exec(line)?.[0] ?? "";
  const command = line.startsWith("npx ") ? line.split(" ").slice(1) : null;
  return { file, command, text };
}

function moduleOf(name: string): Module {
  return modules.find(({ file }) => file === name) as Module;
}

interface StartedModule {
  readonly url: string;
  readonly process: BoundProcess;
}

async function startModule(
  module: Module,
  own: Readonly<Record<string, string>> = {},
): Promise<StartedModule> {
  const started = await launchModule(module, own);
  await started.written("Listening on ", 20_000);
  const url = /^Listening on (http:\S+)$/m.exec(started.output().stdout)?.[1] as string;
  return { url, process: started };
}

/** Without `npx`: a signal that kills it would leave the server running. */
async function launchModule(
  { file, command }: Module,
  own: Readonly<Record<string, string>>,
): Promise<BoundProcess> {
  const [runtime = "", ...args] = command ?? [];
  const started = await startBoundProcess([join(root, "node_modules/.bin", runtime), ...args], {
    environment: {
      ...environment,
      ...(file === "redis-cluster.ts" && { REDIS_URL: clusterUrl }),
      DENO_NO_UPDATE_CHECK: "1",
      ...own,
    },
    directory,
  });
  onTestFinished(() => started.stop());
  return started;
}

async function ingest(url: string, customer_id: string): Promise<void> {
  // This machine's time an hour ago, as the file system has it: tests read no clock.
  await writeFile(join(directory, "now"), "");
  const { mtimeMs } = await stat(join(directory, "now"));
  const ts = new Date(mtimeMs - 3_600_000).toISOString();
  const record = { ts, line_id: customer_id, customer_id, amount: 20 };
  const records = { purchases: [{ record }] };
  const answer = await post(`${url}/ingest`, { workspace_name: "prod", dry_run: false, records });
  expect(answer).toMatchObject({ status: 200 });
}

/** How many purchases a customer has made, as the service says. */
async function countOf(url: string, customer_id: string): Promise<unknown> {
  const { status, body } = await post(`${url}/api/v1/feature-service/get-features`, {
    params: {
      workspaceName: "prod",
      featureServiceName: "checkout",
      joinKeyMap: { customer_id },
      requestContextMap: { amount: 30 },
      metadataOptions: { includeNames: true },
    },
  });
  expect(status, JSON.stringify(body)).toBe(200);
  const { result, metadata } = body as {
    readonly result: { readonly features: readonly unknown[] };
    readonly metadata: { readonly features: readonly { readonly name: string }[] };
  };
  const index = metadata.features.findIndex(({ name }) => name.includes("count_lifetime"));
  return result.features[index];
}

function blocks(markdown: string, language: string): string[] {
  const found = markdown.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"));
  return [...found].map(([, text]) => text ?? "");
}

function shellLines(): string[] {
  return blocks(readme, "sh").flatMap((text) => text.trim().split("\n"));
}

function wrangler(args: readonly string[]): Promise<{ code: number; output: string }> {
  return run(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), ...args]);
}

async function run(
  command: string,
  args: readonly string[],
): Promise<{ code: number; output: string }> {
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "1" };
  try {
    const { stdout } = await promisify(execFile)(command, [...args], { cwd: directory, env });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as Record<"stdout" | "stderr", string> & {
      code: number;
    };
    return { code, output: stdout + stderr };
  }
}
