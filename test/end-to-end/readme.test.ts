import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { developmentKeyFile } from "../../scripts/cli/api-key.ts";
import { startBoundProcess } from "../builders/bound-process.ts";
import { startServerProcess } from "./server-process.ts";
import type { ServerProcess } from "./server-process.ts";

const root = new URL("../..", import.meta.url).pathname;
// Inside the package, so that "tilemark" in the snippet is this package.
const directory = join(root, ".tilemark/readme-test");

let server: ServerProcess;
let port: number;
let commands: string[];
let servers: string;
let guarded: string;

beforeAll(async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [snippet, client, ...started] = blocks(readme, "ts");
  [servers = "", guarded = ""] = started;
  expect(started.length).toBe(2);
  port = await freePort();
  commands = blocks(readme, "sh")
    .join("\n")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.replaceAll("8787", String(port)));
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "features.ts"), snippet ?? "");
  await writeFile(join(directory, "client.ts"), client ?? "");
  await writeFile(join(directory, "servers.ts"), servers);
  await writeFile(join(directory, "guarded.ts"), guarded);
  await writeEvents();
  const dev = commands.find((line) => line.includes(" dev ")) ?? "";
  expect(dev).toBe(`npm run tilemark -- dev --features features.ts --port ${port}`);
  const features = join(directory, "features.ts");
  const state = join(directory, "state");
  server = await startServerProcess([
    "--features",
    features,
    "--port",
    String(port),
    "--state",
    state,
  ]);
  // As where the commands and the server are started in one directory.
  await mkdir(join(directory, ".tilemark"));
  await copyFile(join(root, developmentKeyFile), join(directory, developmentKeyFile));
}, 60_000);

afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

test("the README names the two commands, and package.json has them", async () => {
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly scripts: Record<string, string>;
  };
  expect(commands.slice(0, 2)).toEqual(["npm ci && npm start", "npm ci && npm test"]);
  expect(Object.keys(scripts)).toEqual(expect.arrayContaining(["start", "test", "tilemark"]));
});

test("the README's commands run in their order and its snippet answers", async () => {
  const outputs: string[] = [];
  for (const command of commands.slice(2)) {
    if (command.includes(" dev ")) continue;
    outputs.push(await runCommand(command));
  }
  const [backfill, ingest, compact, get, explain, curl, ingestCurl, ...rest] = outputs;
  expect(rest).toEqual([]);
  expect(backfill).toContain("read 3, loaded 2, skipped 1");
  expect(ingest).toContain("read 2, loaded 2, skipped 0");
  expect(compact).toMatch(/spend: 4 rows, 2 keys/);
  expect(get).toMatch(/spend\.amount_count_lifetime_5m +"3"/);
  expect(get).toMatch(/basket\.over_mean +1\.5/);
  expect(explain).toMatch(
    /amount_count_lifetime_5m = "3".*\n.*\n.*from the batch record: 3 values/,
  );
  const { result, metadata } = JSON.parse(curl ?? "") as {
    readonly result: { readonly features: readonly unknown[] };
    readonly metadata: { readonly features: readonly { readonly status: string }[] };
  };
  expect(result.features).toEqual([1.5, "3", 30, 20, 30]);
  expect(metadata.features.every(({ status }) => status === "PRESENT")).toBe(true);
  // Counts are texts there.
  expect(JSON.parse(ingestCurl ?? "")).toMatchObject({
    ingestMetrics: { featureViewIngestMetrics: [{ onlineRecordIngestCount: "1" }] },
  });
}, 60_000);

test("the README's client asks the same server", async () => {
  const url = `http://127.0.0.1:${port}`;
  const key = await readFile(join(directory, developmentKeyFile), "utf8");
  const env = { ...process.env, TILEMARK_URL: url, TILEMARK_API_KEY: key.trim() };
  const node = join(root, "node_modules/.bin/node");
  const { stdout } = await promisify(execFile)(node, ["client.ts"], { cwd: directory, env });
  expect(stdout.trim()).toBe("1.5 PRESENT");
}, 30_000);

test("the README's guarded server answers whom it knows, and nobody else", async () => {
  const tilemark = ["scripts/cli/tilemark.ts", "key", "new"];
  const node = join(root, "node_modules/.bin/node");
  const made = await promisify(execFile)(node, tilemark, { cwd: root });
  const [key = ""] = /tk_\w+[\w-]*/.exec(made.stdout) ?? [];
  const [digest = ""] = /\b[0-9a-f]{64}\b/.exec(made.stdout) ?? [];
  const started = await startBoundProcess([node, "guarded.ts"], {
    directory,
    environment: { TILEMARK_ADMIN_KEY_SHA256: digest },
  });
  try {
    await started.written("\n", 30_000);
    const url = started.output().stdout.trim();
    const ask = (headers: Record<string, string>) => fetch(`${url}/admin/keys`, { headers });
    expect((await ask({})).status).toBe(401);
    expect((await ask({ authorization: `Tecton-key ${key}` })).status).toBe(200);
  } finally {
    await started.stop();
  }
}, 60_000);

test("every file that the README links to is there", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, link]) => link ?? "");
  expect(links.length).toBeGreaterThan(30);
  for (const link of links) await stat(join(root, link));
});

test("the README's home takes an event, and its region answers it", async () => {
  const [, runtime = "", file = ""] = /^\/\/ npx (\S+) (\S+\.ts), /.exec(servers) ?? [];
  const installed = join(root, "node_modules/.bin", runtime);
  const version = await execute("npx", [runtime, "--version"]);
  expect(version).toMatch(/^v24\./);
  expect(await execute(installed, ["--version"])).toBe(version);
  // Without `npx`: a signal that kills it would leave the servers running.
  const started = await startBoundProcess([installed, file], { directory });
  try {
    await started.written("\n", 30_000);
    const [home, region] = started.output().stdout.trim().split(" ");
    const { mtimeMs } = await stat(join(directory, "features.ts"));
    const ts = new Date(mtimeMs - 600_000).toISOString();
    const record = { ts, line_id: "x", customer_id: "17", amount: 5 };
    const records = { purchases: [{ record }] };
    await post(`${home}/ingest`, { workspace_name: "prod", dry_run: false, records });
    const params = {
      workspaceName: "prod",
      featureServiceName: "checkout",
      joinKeyMap: { customer_id: "17" },
      requestContextMap: { amount: 5 },
    };
    const ask = () => post(`${region}/api/v1/feature-service/get-features`, { params });
    await expect
      .poll(ask, { timeout: 20_000 })
      .toEqual({ result: { features: [1, "1", 5, 5, 5] } });
  } finally {
    await started.stop();
  }
  const state = await readdir(join(directory, ".tilemark"));
  expect(state).toEqual(expect.arrayContaining(["home", "region"]));
}, 60_000);

test("every npm script that the README names is there", async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    readonly scripts: Record<string, string>;
  };
  for (const [, name] of readme.matchAll(/npm run ([a-z:]+)/g)) {
    expect(scripts, `npm run ${name}`).toHaveProperty([name ?? ""]);
  }
});

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  return response.json();
}

function blocks(markdown: string, language: string): string[] {
  const found = markdown.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"));
  return [...found].map(([, text]) => text ?? "");
}

async function runCommand(command: string): Promise<string> {
  const script = command.replace(
    "npm run tilemark --",
    `${process.execPath} ${join(root, "scripts/cli/tilemark.ts")}`,
  );
  return execute("bash", ["-c", script]);
}

async function execute(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], { cwd: directory });
  return stdout;
}

/** Events of today, an hour or more old; one line of history has no instant. */
async function writeEvents(): Promise<void> {
  // This machine's time, as the file system has it: tests read no clock.
  const nowMs = (await stat(join(directory, "features.ts"))).mtimeMs;
  const at = (hoursAgo: number) => new Date(nowMs - hoursAgo * 3_600_000).toISOString();
  const history = [
    "ts,line_id,customer_id,amount",
    `${at(50)},a,17,10`,
    `,b,17,10`,
    `${at(40)},c,18,99`,
  ];
  await writeFile(join(directory, "history.csv"), `${history.join("\n")}\n`);
  const events = [
    { ts: at(2), line_id: "d", customer_id: "17", amount: 20 },
    { ts: at(0.5), line_id: "e", customer_id: "17", amount: 30 },
  ];
  await writeFile(
    join(directory, "events.jsonl"),
    events.map((event) => `${JSON.stringify(event)}\n`).join(""),
  );
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port: found } = probe.address() as AddressInfo;
      probe.close(() => {
        resolve(found);
      });
    });
  });
}
