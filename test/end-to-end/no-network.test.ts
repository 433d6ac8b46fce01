import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const root = new URL("../..", import.meta.url).pathname;

/** Starts the demo, runs the curl line that it prints last, and stops it. */
const script = `
set -eu
ip link set lo up
test "$(ip -o link | wc -l)" = 1
"$NODE" scripts/cli/tilemark.ts demo --state "$STATE" > "$STATE/out" 2> "$STATE/err" &
server=$!
trap 'kill $server; wait $server || true' EXIT
for _ in $(seq 1 600); do
  grep -q '^curl ' "$STATE/out" && break
  kill -0 $server || { cat "$STATE/err" >&2; exit 1; }
  sleep 0.1
done
sleep 0.2
test -z "$(tail -n 1 "$STATE/out")"
bash -c "$(grep '^curl ' "$STATE/out")"
`;

// CI has both; elsewhere a kernel without user namespaces, or no iproute2, is a reason to leave it out.
const canIsolate =
  process.env["CI"] === "true" ||
  spawnSync("unshare", ["--map-root-user", "--net", "ip", "link", "set", "lo", "up"]).status === 0;

test.skipIf(!canIsolate)(
  "npm start answers in a network namespace that has loopback alone",
  async () => {
    const state = await mkdtemp(join(tmpdir(), "tilemark-no-network-"));
    try {
      const { stdout } = await promisify(execFile)(
        "unshare",
        ["--map-root-user", "--net", "bash", "-c", script],
        { cwd: root, env: { ...process.env, NODE: process.execPath, STATE: state } },
      );
      const answer = JSON.parse(stdout) as {
        readonly result: { readonly features: readonly unknown[] };
        readonly metadata: { readonly features: readonly { readonly name: string }[] };
      };
      const values = new Map(
        answer.metadata.features.map(({ name }, i) => [name, answer.result.features[i]]),
      );
      expect(Number(values.get("customer_spend.amount_count_lifetime_5m"))).toBeGreaterThan(50);
      expect(values.get("basket_check.over_mean")).toBeGreaterThan(0);
    } finally {
      await rm(state, { recursive: true, force: true });
    }
  },
  90_000,
);
