import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { serverUrl } from "../../scripts/cli/call-server.ts";
import { parsePort } from "../../scripts/cli/parse-port.ts";
import {
  closedUrl,
  featuresFile,
  root,
  runCommand,
  serve,
  temporaryDirectory,
  writeText,
} from "./run-command.ts";

function oneLine(text: RegExp): RegExp {
  return new RegExp(`^${text.source}\\n$`);
}

test("serverUrl() takes slashes off the end", () => {
  expect(["http://a:1", "http://a:1/", "http://a:1/b//"].map(serverUrl)).toEqual([
    "http://a:1",
    "http://a:1",
    "http://a:1/b",
  ]);
});

test("parsePort() takes the option, else the environment's, else a free one", () => {
  expect([parsePort("1", "2"), parsePort(undefined, "2"), parsePort(undefined, undefined)]).toEqual(
    [1, 2, 0],
  );
  for (const text of ["abc", "", "-1", "1.5", "65536"]) {
    expect(() => parsePort(text, undefined)).toThrow(
      `Cannot listen on port "${text}": expected a whole number`,
    );
  }
});

test.each(["127.0.0.1:8787", "localhost:8787", "ftp://a", "http://", ""])(
  "serverUrl() refuses %j",
  (url) => {
    expect(() => serverUrl(url)).toThrow(
      `Cannot call server "${url}": it is no URL of HTTP, expected http://…`,
    );
  },
);

const wrong: readonly [name: string, args: readonly string[], errors: RegExp][] = [
  [
    "a request that is not JSON",
    ["get", "ids", "--url", closedUrl, "--request", "{bad"],
    /Cannot read --request "\{bad": it is not JSON, expected an object such as .*/,
  ],
  [
    "a server that get cannot reach",
    ["get", "ids", "--url", closedUrl],
    /Cannot reach http:\/\/127\.0\.0\.1:9\/api\S*: \S.*/,
  ],
  [
    "a server that compact cannot reach",
    ["compact", "--features", featuresFile, "--url", closedUrl],
    /Cannot call the server: .*Cannot reach http:\/\/127\.0\.0\.1:9\/admin\S*: \S.*/,
  ],
  [
    "an address without a scheme",
    ["get", "ids", "--url", "127.0.0.1:8787"],
    /Cannot call server "127\.0\.0\.1:8787": .*, expected http:\/\/…/,
  ],
  [
    "a feature file that is not there",
    ["backfill", "events", "history.csv", "--features", "missing.ts"],
    /Cannot load features "missing\.ts": there is no such file, .*/,
  ],
  [
    "a feature file that is a folder",
    ["dev", "--features", "test"],
    /Cannot load features "test": there is no such file, .*/,
  ],
  [
    "a port that is no number",
    ["dev", "--features", featuresFile, "--port", "abc"],
    /Cannot listen on port "abc": .*/,
  ],
];

test.each(wrong)("tilemark says in one line what is wrong with %s", async (_, args, errors) => {
  const offline = args[0] === "compact" ? ["--offline", await temporaryDirectory()] : [];
  const result = await runCommand(...args, ...offline);
  expect(result.errors).toMatch(oneLine(errors));
  expect(result).toMatchObject({ status: 1, output: "" });
});

test("tilemark dev says in one line that its port is in use", async () => {
  const { port } = new URL((await serve()).url);
  const state = await temporaryDirectory();
  const args = ["--features", featuresFile, "--state", state, "--port", port];
  expect(await runCommand("dev", ...args)).toEqual({
    status: 1,
    output: "",
    errors: `Cannot listen on port ${port}: it is in use, choose another with --port\n`,
  });
});

test("tilemark compact --watch fails at once for a view that is not defined", async () => {
  const { url } = await serve();
  const args = ["--features", featuresFile, "--url", url, "--offline", await temporaryDirectory()];
  const result = await runCommand("compact", "--watch", "--view", "nope", ...args);
  expect(result.status).toBe(1);
  expect(result.errors).toMatch(oneLine(/.*"nope".*/));
});

test("tilemark dev serves a feature file of another directory and fails when workerd dies", async () => {
  const text = (await readFile(featuresFile, "utf8")).replace("../../src/index.ts", "tilemark");
  const elsewhere = await writeText("features.ts", text);
  const state = await temporaryDirectory();
  const child = spawn(
    process.execPath,
    ["scripts/cli/tilemark.ts", "dev", "--features", elsewhere, "--state", state],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  onTestFinished(() => {
    child.kill();
  });
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString("utf8")));
  const closed = once(child, "close") as Promise<[number | null]>;
  const listening = (await createInterface({ input: child.stdout })
    [Symbol.asyncIterator]()
    .next()) as {
    readonly value: string | undefined;
  };
  expect(listening.value, errors).toMatch(/^Listening on http/);
  process.kill(await workerdOf(child.pid ?? 0), "SIGKILL");
  const [status] = await closed;
  expect(status).toBe(1);
  expect(errors).toMatch(
    /^Cannot go on serving http\S+: workerd has died, start the command again$/m,
  );
});

/** The child that is workerd, found where Linux lists processes. */
async function workerdOf(parent: number): Promise<number> {
  const tasks = join("/proc", String(parent), "task");
  for (const task of await readdir(tasks)) {
    const children = await readFile(join(tasks, task, "children"), "utf8");
    for (const child of children.split(" ").filter((text) => text !== "")) {
      const command = await readFile(join("/proc", child, "cmdline"), "utf8");
      if (command.split("\0")[0]?.endsWith("workerd") === true) return Number(child);
    }
  }
  throw new Error(`Cannot find workerd: process ${parent} has no such child`);
}
