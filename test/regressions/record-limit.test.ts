// A stream record past the size of a store's value once stopped its whole log: the rows were
// committed, applying them failed at the same row for ever, and the server did not start again.

import { expect, test } from "vitest";
import { limits } from "../../src/core/limits.ts";
import {
  count,
  entity,
  last,
  loadRepository,
  service,
  streamSource,
  streamView,
} from "../../src/index.ts";
import { buildTestApp } from "../builders/app.ts";

const nowMs = Date.UTC(2026, 0, 1);

test("a record that outgrows its limit is a gap, and holds up no other", async () => {
  const app = buildTestApp(growing, { nowMs, streamShardCount: 1 });
  const merchant = "m".repeat(60_000);
  const ingest = (user_id: string, from: number, rows: number) =>
    app.post("/ingest", {
      workspace_name: "prod",
      dry_run: false,
      records: {
        words: Array.from({ length: rows }, (_, i) => ({
          record: {
            ts: nowMs - 1000 + i,
            id: `${user_id}${from + i}`,
            user_id,
            merchant: `${from + i}${merchant}`,
          },
        })),
      },
    });
  for (let from = 0; from * merchant.length < limits.streamRecordBytesMax * 1.2; from += 50) {
    expect((await ingest("big", from, 50)).status).toBe(200);
  }
  expect((await ingest("small", 0, 1)).status).toBe(200);
  expect(await countOf("big")).toEqual(["UNKNOWN", null]);
  expect(await countOf("small")).toEqual(["PRESENT", "1"]);

  async function countOf(user_id: string): Promise<unknown> {
    const { body } = await app.post("/api/v1/feature-service/get-features", {
      params: {
        featureServiceName: "all_words",
        joinKeyMap: { user_id },
        metadataOptions: { includeServingStatus: true },
      },
    });
    const { result, metadata } = body as {
      readonly result: { readonly features: readonly unknown[] };
      readonly metadata: { readonly features: readonly { readonly status: string }[] };
    };
    return [metadata.features[0]?.status, result.features[0]];
  }
});

const growingView = streamView("growing", {
  entities: [entity("user", { user_id: "string" })],
  source: streamSource("words", {
    timestamp: "ts",
    id: "id",
    columns: { user_id: "string", merchant: "string" },
  }),
  windowing: "continuous",
  features: { merchant: [count("1h"), last(1000, "1h")] },
  compaction: { every: "1d" },
});
const growing = loadRepository({ growingView, all_words: service("all_words", [growingView]) });
