import { expect, test } from "vitest";
import { compactViews } from "../../src/compact/compact-views.ts";
import { readBatchRecord } from "../../src/tile/batch-record.ts";
import { batchKey } from "../../src/tile/keys.ts";
import { byUser, minuteMs, payment } from "../ingest/online-parts.ts";
import type { TestEvent } from "../ingest/online-parts.ts";
import { CompactionParts, repository } from "./compaction-parts.ts";

const t0 = Date.UTC(2026, 2, 1, 12, 2);

/** Four compactions a second apart, so that none is collected; and an event before each. */
async function build(): Promise<{ parts: CompactionParts; events: TestEvent[] }> {
  const parts = new CompactionParts({ nowMs: t0 });
  const events: TestEvent[] = [];
  for (let i = 0; i < 4; i++) {
    const event = payment(`e${i}`, t0 - minuteMs * (i + 1), { user: "u", card: 1 });
    await parts.append([event], i % 2);
    events.push(event);
    await parts.compact(["by_user"]);
    parts.clock.nowMs += 1_000;
  }
  return { parts, events };
}

function rollBack(parts: CompactionParts, rollbackCut: number, view = "by_user") {
  const options = { views: [view], rollbackCut };
  return compactViews({ api: parts.api(), offline: parts.offline, repository }, options);
}

async function cutOf(parts: CompactionParts): Promise<number> {
  const [stored] = await parts.batchStore.readMany([batchKey(byUser, "u")]);
  return readBatchRecord(stored?.bytes as Uint8Array, byUser).header.cut;
}

test("a rollback publishes an earlier cut again, and no answer changes", async () => {
  for (const cut of [0, 1, 2, 3]) {
    const { parts, events } = await build();
    const [summary] = await rollBack(parts, cut);
    expect(summary).toMatchObject({ cut, resumed: false, rows: cut + 1 });
    expect(await cutOf(parts)).toBe(cut);
    await parts.expectAnswers(events, `rolled back to ${cut}`);
    // The next compactions go on past everything that was sealed, and collect.
    for (const nextCut of [4, 5]) {
      parts.clock.nowMs += parts.publisher.graceMs;
      const [next] = await parts.compact(["by_user"]);
      expect(next?.cut).toBe(nextCut);
      await parts.expectAnswers(events, `rolled back to ${cut}, then ${nextCut}`);
    }
  }
});

test("a rollback is refused where the stream does not cover the rest any more", async () => {
  const { parts, events } = await build();
  parts.clock.nowMs += parts.publisher.graceMs;
  await parts.compact(["by_user"]);
  expect((await parts.streamRecord(byUser, "u"))?.collectedEpoch).toBe(3);
  for (const cut of [0, 1, 2]) {
    await expect(rollBack(parts, cut)).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("collected up to epoch 3") as string,
    });
    expect(await cutOf(parts)).toBe(4);
  }
  await rollBack(parts, 3);
  expect(await cutOf(parts)).toBe(3);
  await parts.expectAnswers(events, "rolled back to 3");
});

test("after a rollback nothing past its cut is collected, whatever its grace", async () => {
  const { parts, events } = await build();
  await rollBack(parts, 1);
  parts.clock.nowMs += parts.publisher.graceMs;
  const [summary] = await rollBack(parts, 1);
  expect(summary).toMatchObject({ collectibleCut: 1 });
  expect((await parts.streamRecord(byUser, "u"))?.collectedEpoch).toBe(1);
  await parts.expectAnswers(events, "rolled back twice");
});

test("a rollback is refused to a cut that no compaction of the view has finished at", async () => {
  const { parts } = await build();
  await parts.publisher.start({ views: ["by_user"] }, parts.clock.nowMs);
  for (const cut of [4, 5, 17]) {
    await expect(rollBack(parts, cut)).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("expected one of: 0, 1, 2, 3") as string,
    });
  }
  await expect(rollBack(parts, 0, "by_card")).rejects.toMatchObject({ code: "CONFLICT" });
  const batch = rollBack(parts, 0, "archive_by_user");
  await expect(batch).rejects.toMatchObject({ code: "INVALID_REQUEST" });
  const both = parts.publisher.start({ views: ["by_user", "by_card"], rollbackCut: 1 }, t0);
  await expect(both).rejects.toMatchObject({ code: "INVALID_REQUEST" });
});
