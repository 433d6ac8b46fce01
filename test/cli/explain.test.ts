import { expect, test } from "vitest";
import { explainLines } from "../../scripts/cli/explain-lines.ts";
import type { ExplainedVector } from "../../scripts/cli/explain-lines.ts";
import { postJson } from "../../scripts/cli/call-server.ts";
import { runCommand, serve } from "./run-command.ts";

const entered = [
  { origin: "batch", tileCount: 1, eventCount: 0, valueCount: 1_234 },
  { origin: "stream", tileCount: 0, eventCount: 1, valueCount: 1 },
  { origin: "late", tileCount: 2, eventCount: 3, valueCount: null },
];
const cover = { tileCount: 1, rawEventCount: 2 };

/** Everything that an explanation may hold. */
const vector: ExplainedVector = {
  result: { features: [0.5, "7", null, ["1"], "gold", null, null] },
  metadata: {
    features: [
      {
        name: "ratio.share",
        explain: {
          status: "PRESENT",
          hasRun: true,
          tookMs: 0.05,
          requestValues: ["amt"],
          inputs: [
            { name: "paid", view: "spend", features: ["amt_sum_1h_5m"] },
            { name: "who", view: "profile", features: [] },
          ],
        },
      },
      {
        name: "spend.amt_count_1h_5m",
        effectiveTime: "2024-01-10T12:00:00Z",
        explain: {
          status: "PRESENT",
          windows: [
            { startTime: "2024-01-10T11:00:00Z", endTime: "2024-01-10T12:00:00Z", entered },
          ],
        },
      },
      {
        name: "spend.amt_sum_lifetime_5m",
        explain: {
          status: "UNKNOWN",
          reasons: ["overflow: it is past int64"],
          windowsLeftOut: 2,
          windows: [
            {
              endTime: "2024-01-10T12:00:00Z",
              used: { endTime: "2024-01-10T11:50:00Z" },
              entered: [],
            },
          ],
        },
      },
      { name: "spend.shop_keys_1h", explain: { status: "PRESENT", secondaryKeyCount: 1 } },
      {
        name: "profile.tier",
        explain: {
          status: "PRESENT",
          row: {
            time: "2024-01-10T11:00:00Z",
            origin: "late",
            ttlMs: 90_000_000,
            expiresAt: "2024-01-11T12:00:00Z",
          },
        },
      },
      { name: "kept.a", explain: { status: "CACHED_PRESENT", reasons: ["cached: why"] } },
      { name: "daily.a", explain: { status: "MISSING_DATA" } },
    ],
    explain: {
      now: "2024-01-10T12:00:00Z",
      combineMs: 0.2,
      transformMs: 0.1,
      stores: [
        {
          ...{ home: "batch", store: "redis", callCount: 1, keyCount: 2, sizeBytes: 2_048 },
          ...{ tookMs: 1.5, stale: true },
        },
        { home: "stream", callCount: 1, keyCount: 2, sizeBytes: 10, tookMs: 2, stale: false },
      ],
      views: [
        {
          view: "daily",
          kind: "batchView",
          fingerprint: "dd",
          deleted: true,
          batch: null,
          stream: null,
        },
        {
          ...{ view: "kept", kind: "streamView", fingerprint: "kk" },
          ...{ cachedAt: "2024-01-10T11:59:30Z", cachedAgeMs: 30_500 },
        },
        {
          ...{ view: "profile", kind: "streamView", fingerprint: "ff", deleted: false },
          batch: null,
          stream: { sizeBytes: 9, collectedEpoch: -1, positions: {}, epochs: [] },
          staleness: { asOf: "2024-01-10T11:00:00Z", reason: "The home is away" },
          region: { asOf: "2024-01-10T11:00:00Z", cut: 3, floor: 2 },
          lateEventsWaiting: 4,
        },
        {
          ...{ view: "spend", kind: "streamView", fingerprint: "55", deleted: false },
          batch: {
            ...{ sizeBytes: 1_024, cut: 3, watermark: "2024-01-10T00:00:00Z" },
            ...{ watermarkAgeMs: 43_200_000, sealedAt: "2024-01-10T00:00:00Z" },
            ...{ exactUntil: "2024-01-11T06:00:00Z", eventCount: 1_234, ...cover },
          },
          stream: {
            sizeBytes: 99,
            collectedEpoch: 2,
            positions: { "main-0": 17 },
            epochs: [
              { epoch: 3, startedAt: "2024-01-09T00:00:00Z", pastCut: false, ...cover },
              { epoch: 4, startedAt: "2024-01-10T00:00:00Z", pastCut: true, ...cover },
            ],
          },
        },
      ],
    },
  },
};

test("explainLines() draws an explanation as a tree", () => {
  expect(`\n${explainLines("shop", vector).join("\n")}\n`).toBe(`
shop, asked at 2024-01-10T12:00:00Z
├─ read 2 homes, combined in 0.2 ms, transformed in 0.1 ms
│  ├─ batch records (redis): 1 call, 2 keys, 2,048 bytes, 1.5 ms, STALE
│  └─ stream records: 1 call, 2 keys, 10 bytes, 2 ms
├─ ratio  (on demand) ran in 0.05 ms
│  ├─ request values: amt
│  ├─ input paid (spend): looked at amt_sum_1h_5m
│  ├─ input who (profile): looked at nothing
│  └─ ratio.share = 0.5  PRESENT
├─ daily  (batch view dd), DELETED
│  ├─ batch record: none
│  └─ daily.a = null  MISSING_DATA
├─ kept  (stream view kk), CACHED 30s ago
│  └─ kept.a = null  CACHED_PRESENT
│     └─ ! cached: why
├─ profile  (stream view ff), STALE as of 2024-01-10T11:00:00Z
│  ├─ batch record: none
│  ├─ stream record: 9 bytes, nothing collected
│  ├─ 4 late events waiting for the next compaction
│  ├─ region: as of 2024-01-10T11:00:00Z, cut 3, floor 2
│  └─ profile.tier = "gold"  PRESENT
│     └─ row of 2024-01-10T11:00:00Z, late, from the stream, expires at 2024-01-11T12:00:00Z (ttl 1d 1h)
└─ spend  (stream view 55)
   ├─ batch record: 1,024 bytes, cut 3, 1,234 events in 1 tile and 2 raw events
   │  ├─ watermark 2024-01-10T00:00:00Z, 12h ago
   │  └─ exact until 2024-01-11T06:00:00Z
   ├─ stream record: 99 bytes, collected to epoch 2; log main-0 at 17
   │  ├─ epoch 3 since 2024-01-09T00:00:00Z: 1 tile, 2 raw events, in the batch record too: not counted
   │  └─ epoch 4 since 2024-01-10T00:00:00Z: 1 tile, 2 raw events
   ├─ spend.amt_count_1h_5m = "7"  PRESENT  at 2024-01-10T12:00:00Z
   │  └─ [2024-01-10T11:00:00Z, 2024-01-10T12:00:00Z)
   │     ├─ from the batch record: 1,234 values, in 1 tile
   │     ├─ from the stream: 1 value, in 1 raw event
   │     └─ late, from the stream: values not counted, in 2 tiles and 3 raw events
   ├─ spend.amt_sum_lifetime_5m = null  UNKNOWN
   │  ├─ ! overflow: it is past int64
   │  ├─ 2 older windows left out
   │  └─ [the beginning, 2024-01-10T12:00:00Z), ROUNDED to [the beginning, 2024-01-10T11:50:00Z): nothing entered
   └─ spend.shop_keys_1h = ["1"]  PRESENT  1 key
`);
});

test("tilemark explain asks a server, and prints a tree or the answer as it came", async () => {
  const { url } = await serve();
  const keys = ["--key", "user_id=u1", "--key", "group_id=g1", "--url", url];
  const tree = await runCommand("explain", "ids", ...keys, "--no-cache");
  expect(tree).toMatchObject({ status: 0, errors: "" });
  expect(tree.output).toMatch(/^ids, asked at \S+Z\n├─ read \d homes?, combined in /);
  expect(tree.output).toContain("! missing: there is no record of the entity in this view");
  const params = { featureServiceName: "ids", joinKeyMap: { user_id: "u1", group_id: "g1" } };
  const path = "/api/v1/feature-service/get-features";
  const answer = await postJson(url + path, { params: { ...params, explain: true } });
  const { metadata } = (await answer.json()) as ExplainedVector;
  const json = JSON.parse((await runCommand("explain", "ids", ...keys, "--json")).output) as {
    metadata: ExplainedVector["metadata"];
  };
  expect(Object.keys(json.metadata.explain)).toEqual(Object.keys(metadata.explain));
  expect(json.metadata.features.map((each) => each.explain)).toEqual(
    metadata.features.map((each) => each.explain),
  );
});
