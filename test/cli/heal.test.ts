import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { loadFeatures } from "../../scripts/cli/load-features.ts";
import type { ViewDefinition } from "../../src/define/definition.ts";
import { featuresFile, runCommand, serve, temporaryDirectory, writeText } from "./run-command.ts";

const features = `
import { batchSource, batchView, count, entity, last, service } from "tilemark";

const user = entity("user", { user_id: "string" });

export const orders = batchSource("orders", {
  timestamp: "ts",
  id: "id",
  columns: { ts: "timestamp", id: "string", user_id: "string", amt: "float64" },
  map: ({ Number: id, ...row }) => ({ ...row, id }),
  filter: (row) => (row["user_id"] === "test" ? "a test user" : true),
});

const visits = batchSource("visits", { timestamp: "ts", columns: { user_id: "string" } });

const shared = { entities: [user], windowing: "sliding", interval: "1d", compaction: { every: "1d" } };

export const spend = batchView("spend", { ...shared, source: orders, features: { amt: [last("7d")] } });
export const seen = batchView("seen", { ...shared, source: visits, features: { user_id: [count("7d")] } });
export const both = service("both", [spend, seen]);
`;

const day = "2024-01-01";

async function prepare(): Promise<{
  readonly offline: string;
  readonly heal: (...args: readonly string[]) => ReturnType<typeof runCommand>;
  readonly rows: () => Promise<string[]>;
}> {
  const file = await writeText("features.ts", features);
  const offline = join(await temporaryDirectory(), "offline");
  const places = ["--features", file, "--offline", offline];
  const view = (await loadFeatures(file)).views.get("spend") as ViewDefinition;
  const csv = ["ts,Number,user_id,amt", `${day},a,u,1`, `${day},b,u,2`, `${day},c,v,3`].join("\n");
  const loaded = await runCommand("backfill", "orders", await writeText("o.csv", csv), ...places);
  expect(loaded).toMatchObject({ status: 0, errors: "" });
  const rows = async () => {
    const store = await openOfflineStore({ directory: offline, memoryBytesMax: 128_000_000 });
    const found: string[] = [];
    const request = { view, cut: 0, fromMs: -Infinity, untilMs: Infinity };
    for await (const { rowCount, joinKeys, ids, values } of store.scan(request)) {
      for (let i = 0; i < rowCount; i++) {
        found.push([joinKeys[0]?.[i], ids[i], values[0]?.[i]].join(" "));
      }
    }
    await store.close();
    return found;
  };
  return {
    offline,
    rows,
    heal: (source, ...args) => runCommand("heal", source as string, ...args, ...places),
  };
}

test("tilemark heal puts what events should have been, through the source's map", async () => {
  const { heal, rows } = await prepare();
  expect(await rows()).toEqual(["u a 1", "u b 2", "v c 3"]);
  const csv = await writeText("fix.csv", `ts,Number,user_id,amt\n${day},a,w,10\n`);
  const jsonl = await writeText("fix.jsonl", '{"ts":3000,"Number":"c","user_id":"v","amt":30}\n');
  expect(
    await heal("orders", "--remove", "b", csv, "--remove", "unknown", jsonl, "--remove", "more"),
  ).toEqual({
    status: 0,
    output: "2 corrections, 3 removals: where their ids are, they win with the next compaction\n",
    errors: "",
  });
  expect(await rows()).toEqual(["v c 30", "w a 10"]);
  expect(await heal("orders", "--remove", "c", "--json")).toEqual({
    status: 0,
    output: '{"corrected":0,"removed":1}\n',
    errors: "",
  });
  expect(await rows()).toEqual(["w a 10"]);
  const back = await writeText("back.csv", `ts,Number,user_id,amt\n${day},b,u,2\n`);
  expect(await heal("orders", back)).toMatchObject({ status: 0 });
  expect(await rows()).toEqual(["u b 2", "w a 10"]);
}, 120_000);

test("tilemark heal puts nothing where anything is wrong, and says what", async () => {
  const { heal, rows, offline } = await prepare();
  const lines = [
    "ts,Number,user_id,amt",
    `${day},a,w,10`,
    "never,b,u,2",
    `${day},,u,2`,
    `${day},c,test,2`,
    `${day},d`,
    `${day},a,w,11`,
  ];
  const file = await writeText("fix.csv", lines.join("\n"));
  const result = await heal("orders", file, "--remove", "a", "--remove", "", "--remove", "e");
  expect(result).toMatchObject({ status: 1, output: "" });
  const errors = result.errors.split("\n");
  expect(errors[0]).toBe(
    'Cannot heal source "orders": 7 of 9 corrections are wrong, nothing was put',
  );
  expect(errors.slice(1)).toEqual([
    '  --remove "": the event id is empty, expected an event id',
    '  row 1 of "fix.csv": its event is corrected more than once',
    expect.stringMatching(/^ {2}row 2 of "fix.csv": column "ts" is not a timestamp: /),
    expect.stringMatching(/^ {2}row 3 of "fix.csv": column "id" is /),
    '  row 4 of "fix.csv": the filter of its source drops it (a test user), remove an event with --remove',
    '  row 5 of "fix.csv": the line has another number of cells than the header',
    '  row 6 of "fix.csv": its event is corrected more than once',
    "",
  ]);
  expect(await rows()).toEqual(["u a 1", "u b 2", "v c 3"]);
  await expect(stat(join(offline, "orders", "corrections"))).rejects.toThrow("ENOENT");
  const many = Array.from({ length: 50 }, () => "never,b,u,2");
  const manyFile = await writeText("many.csv", ["ts,Number,user_id,amt", ...many].join("\n"));
  const manyErrors = (await heal("orders", manyFile)).errors.split("\n");
  expect(manyErrors).toHaveLength(23);
  expect(manyErrors[21]).toBe("  and 30 more");
}, 120_000);

test("tilemark heal says in one line what it cannot begin with", async () => {
  const { heal } = await prepare();
  expect(await heal("visits", "--remove", "a")).toEqual({
    status: 1,
    output: "",
    errors:
      'Cannot heal source "visits": it declares no event id, expected one to tell events by\n',
  });
  expect((await heal("orders")).errors).toBe(
    'Cannot heal source "orders": nothing says what to correct, give files or --remove\n',
  );
  expect((await heal("nope", "--remove", "a")).errors).toBe(
    'Cannot find source "nope": the feature repository defines orders, visits\n',
  );
  expect((await heal("orders", "none.csv")).errors).toBe(
    'Cannot load "none.csv": there is no such file, expected a file or a directory\n',
  );
}, 120_000);

test("what tilemark heal corrects is so online after the next compaction", async () => {
  const { url } = await serve();
  const offline = join(await temporaryDirectory(), "offline");
  const ts = Math.floor((await stat(await temporaryDirectory())).mtimeMs) - 60_000;
  const line = (id: string, user: string) =>
    JSON.stringify({ ts, id, user_id: user, group_id: "g" });
  const events = ["a", "b", "c"].map((id) => line(id, "u")).join("\n");
  const succeed = async (...args: readonly string[]) => {
    const result = await runCommand(...args, "--features", featuresFile);
    expect(result, args.join(" ")).toMatchObject({ status: 0, errors: "" });
  };
  const compact = () => succeed("compact", "--url", url, "--offline", offline);
  const idsOf = async (user: string) => {
    const keys = ["--key", `user_id=${user}`, "group_id=none"];
    const { output } = await runCommand("get", "ids", "--url", url, ...keys);
    return [...output.matchAll(/"[abc]"/g)].map(([id]) => id).sort();
  };
  await succeed("ingest", "events", await writeText("e.jsonl", events), "--url", url);
  await compact();
  expect(await idsOf("u")).toEqual(['"a"', '"b"', '"c"']);
  const fix = await writeText("fix.jsonl", line("a", "v"));
  await succeed("heal", "events", fix, "--remove", "b", "--offline", offline);
  expect(await idsOf("u")).toEqual(['"a"', '"b"', '"c"']);
  await compact();
  expect([await idsOf("u"), await idsOf("v")]).toEqual([['"c"'], ['"a"']]);
}, 120_000);
