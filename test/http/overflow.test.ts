import { expect, test } from "vitest";
import {
  count,
  entity,
  loadRepository,
  max,
  service,
  streamSource,
  streamView,
  sum,
} from "../../src/index.ts";
import { buildTestApp } from "../builders/app.ts";

const nowMs = Date.parse("2024-01-10T12:00:00Z");

const events = streamSource("events", {
  timestamp: "ts",
  id: "id",
  columns: { user_id: "string", cents: "int64", amount: "float64" },
});
const totals = streamView("totals", {
  entities: [entity("user", { user_id: "string" })],
  source: events,
  windowing: "sliding",
  interval: "1h",
  features: { cents: [count("1d"), max("1d"), sum("1d")], amount: [sum("1d")] },
  compaction: { every: "1d" },
});
const repository = loadRepository({ totals, all: service("all", [totals]) });

const int64Max = "9223372036854775807";

async function ask(rows: readonly (readonly [cents: string, amount: number])[]) {
  const app = buildTestApp(repository, { nowMs });
  const records = rows.map(([cents, amount], i) => ({
    record: { ts: "2024-01-10T10:00:00Z", id: `e${i}`, user_id: "u", cents, amount },
  }));
  const body = { workspace_name: "prod", dry_run: false, records: { events: records } };
  expect((await app.post("/ingest", body)).status).toBe(200);
  const answer = await app.post("/api/v1/feature-service/get-features", {
    params: {
      featureServiceName: "all",
      joinKeyMap: { user_id: "u" },
      metadataOptions: { includeServingStatus: true, includeDetails: true },
    },
  });
  expect(answer.status).toBe(200);
  return answer.body as {
    readonly result: { readonly features: readonly unknown[] };
    readonly metadata: {
      readonly features: readonly {
        readonly status: string;
        readonly details?: { readonly reason?: string };
      }[];
    };
  };
}

test("a sum past int64 and one past double are errors on those features alone", async () => {
  const { result, metadata } = await ask([
    [int64Max, 1.7e308],
    ["1", 1.7e308],
  ]);
  expect(result.features).toEqual([null, "2", int64Max, null]);
  expect(metadata.features.map(({ status }) => status)).toEqual([
    "UNKNOWN",
    "PRESENT",
    "PRESENT",
    "UNKNOWN",
  ]);
  expect(metadata.features[0]?.details?.reason).toMatch(/float64|double/);
  expect(metadata.features[3]?.details?.reason).toContain("int64");
});

test("a sum that leaves int64 on its way and comes back is exact", async () => {
  const { result } = await ask([
    [int64Max, 1.7e308],
    ["1", 1.7e308],
    ["-2", -1.7e308],
  ]);
  expect(result.features).toEqual([1.7e308, "3", int64Max, "9223372036854775806"]);
});
