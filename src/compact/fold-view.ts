/** Folds a scan into batch records: one an entity, as the scan brings them together. */

import { limits } from "../core/limits.ts";
import type { Scalar } from "../core/value.ts";
import type { ViewDefinition } from "../define/definition.ts";
import { viewWindows } from "../define/view-windows.ts";
import type { ScanChunk } from "../offline/offline-store.ts";
import { writeBatchRecord } from "../tile/batch-record.ts";
import { entityKey } from "../tile/keys.ts";
import { planCover } from "../window/cover.ts";
import type { Cover, CoveredReads } from "../window/cover.ts";
import type { CompactionRun } from "./compaction-api.ts";
import { EntityFold } from "./fold-entity.ts";

export interface FoldedRecord {
  readonly entity: string;
  readonly bytes: Uint8Array;
  /** How many events of the scan went into it. */
  readonly eventCount: number;
}

type Run = Pick<CompactionRun, "cut" | "sealedAtMs" | "watermarkMs">;

/** The requests that a run's records serve exactly. */
export function readsOf(view: ViewDefinition, run: Run): CoveredReads {
  const earliestMs = run.sealedAtMs - limits.clockErrorMsMax;
  if (view.kind === "batchView") {
    // A batch view's lead stops at the watermark, whenever the request comes.
    return {
      earliestMs: Math.min(earliestMs, run.watermarkMs),
      latestMs: run.watermarkMs,
      overtimeMs: 0,
      behind: false,
    };
  }
  const latestMs = run.sealedAtMs + view.horizonMs;
  return { earliestMs, latestMs, overtimeMs: view.horizonMs, behind: false };
}

/** The cover of a run's records. */
export function coverOf(view: ViewDefinition, run: Run): Cover {
  return planCover(
    view,
    viewWindows(view).map(({ window }) => window),
    readsOf(view, run),
  );
}

/** The same scan gives the same records, byte for byte. */
export async function* foldView(
  view: ViewDefinition,
  run: Run,
  chunks: AsyncIterable<ScanChunk>,
): AsyncGenerator<FoldedRecord> {
  const cover = coverOf(view, run);
  let joinKeys: readonly Scalar[] | null = null;
  let fold = new EntityFold(view, cover);
  for await (const chunk of chunks) {
    const columns = chunk.values;
    for (let row = 0; row < chunk.rowCount; row++) {
      if (joinKeys === null || !isEntity(joinKeys, chunk, row)) {
        if (joinKeys !== null) yield closeRecord(view, run, { joinKeys, fold });
        joinKeys = chunk.joinKeys.map((column) => column[row] as Scalar);
        fold = new EntityFold(view, cover);
      }
      const values = new Array<Scalar | null>(columns.length);
      for (let i = 0; i < columns.length; i++) values[i] = columns[i]?.[row] ?? null;
      fold.add(chunk.timestampsMs[row] as number, chunk.ids[row] ?? "", values);
    }
  }
  if (joinKeys !== null) yield closeRecord(view, run, { joinKeys, fold });
}

/** The record of an entity that was published before and has no events any more. */
export function emptyRecord(view: ViewDefinition, run: Run, entity: string): FoldedRecord {
  return recordOf(view, run, { entity, fold: new EntityFold(view, coverOf(view, run)) });
}

function isEntity(joinKeys: readonly Scalar[], chunk: ScanChunk, row: number): boolean {
  for (let i = 0; i < joinKeys.length; i++) {
    if (chunk.joinKeys[i]?.[row] !== joinKeys[i]) return false;
  }
  return true;
}

function closeRecord(
  view: ViewDefinition,
  run: Run,
  closed: { readonly joinKeys: readonly Scalar[]; readonly fold: EntityFold },
): FoldedRecord {
  return recordOf(view, run, { entity: entityKey(closed.joinKeys), fold: closed.fold });
}

function recordOf(
  view: ViewDefinition,
  run: Run,
  { entity, fold }: { readonly entity: string; readonly fold: EntityFold },
): FoldedRecord {
  const partial = fold.finish(readsOf(view, run).earliestMs);
  const { eventCount } = fold;
  const header = {
    cut: run.cut,
    watermarkMs: run.watermarkMs,
    sealedAtMs: run.sealedAtMs,
    eventCount,
  };
  return { entity, bytes: writeBatchRecord(header, partial, view), eventCount };
}
