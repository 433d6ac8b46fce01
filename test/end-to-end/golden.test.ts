import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import type { WindowsCase } from "../../scripts/golden/golden-file.ts";

const root = new URL("../..", import.meta.url).pathname;
const golden = join(root, "../shared/golden");
// Golden files are no part of the project: where they are not beside it there is nothing to play.
const testWithFiles = test.skipIf(!existsSync(golden));

function play(...args: string[]): Promise<{ readonly stdout: string; readonly code: number }> {
  const command = ["scripts/golden/golden.ts", ...args];
  return promisify(execFile)(process.execPath, command, { cwd: root }).then(
    ({ stdout }) => ({ stdout, code: 0 }),
    (error: { readonly stdout: string; readonly code: number }) => error,
  );
}

function lastLine(text: string): string {
  return text.trimEnd().split("\n").at(-1) ?? "";
}

testWithFiles.each([
  ["windows.json", "9075 values, 0 wrong"],
  ["arrivals.json", "3127 values, 0 wrong"],
])(
  "golden plays %s through the server and finds no value wrong",
  async (file, expected) => {
    const { stdout, code } = await play(join(golden, file));
    expect(lastLine(stdout)).toBe(expected);
    expect(code).toBe(0);
  },
  300_000,
);

/** A case of its own: two events, one query; `expected` as given. */
function smallCase(expected: Record<string, unknown> | null): WindowsCase {
  const hourMs = 3_600_000;
  const at = 1_700_000_000_000 - (1_700_000_000_000 % hourMs);
  const query = { user_id: "u", at: at + hourMs };
  return {
    view: {
      kind: "stream",
      windowing: "sliding",
      entities: ["user_id"],
      timestamp: "ts",
      event_id: "id",
      columns: { user_id: "string", ts: "timestamp_ms", id: "string", qty: "int64" },
      aggregation_interval_ms: hourMs,
      aggregations: [{ function: "sum", column: "qty", window_ms: 6 * hourMs }],
      horizon_ms: 24 * hourMs,
      lateness_ms: 24 * hourMs,
    },
    watermark: at - hourMs,
    compact_at: at,
    events: [
      { id: "a", user_id: "u", ts: at - 2 * hourMs, qty: 3 },
      { id: "b", user_id: "u", ts: at - 1, qty: 4 },
    ],
    queries: [expected === null ? query : { ...query, expected }],
  };
}

test("golden counts a wrong value, exits with 1, and answers a file without expected values", async () => {
  const directory = await mkdtemp(join(tmpdir(), "tilemark-golden-test-"));
  try {
    const wrong = join(directory, "wrong.json");
    await writeFile(
      wrong,
      JSON.stringify([smallCase({ qty_sum_6h_1h: 7 }), smallCase({ qty_sum_6h_1h: 8 })]),
    );
    const counted = await play(wrong);
    expect(lastLine(counted.stdout)).toBe("2 values, 1 wrong");
    expect(counted.code).toBe(1);

    const open = join(directory, "open.json");
    const answered = join(directory, "answered.json");
    await writeFile(open, JSON.stringify([smallCase(null)]));
    expect((await play("--answers", answered, open)).code).toBe(0);
    const [played] = JSON.parse(await readFile(answered, "utf8")) as [WindowsCase];
    expect(played).toEqual({
      ...smallCase(null),
      queries: [{ ...smallCase(null).queries[0], answers: { qty_sum_6h_1h: "7" } }],
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 60_000);
