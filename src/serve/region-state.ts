/** What a region that follows another can answer for, and how old it is. */

import type { ViewDefinition } from "../define/definition.ts";
import type { Staleness } from "../store/online-store.ts";
import { neverMs, readRegionRecord } from "../tile/region-record.ts";
import type { RegionRecord } from "../tile/region-record.ts";
import type { FeatureFault } from "./view-answer.ts";

export interface RegionState {
  /** Null before the region has one. */
  readonly record: RegionRecord | null;
  readonly staleness: Staleness | null;
  /**
   * Why a view cannot be answered here; null where it can.
   * @param batch - The cut of the entity's batch record, null where there is none; and whether it
   *   was looked for in an old copy, in which nothing says as little of now.
   */
  faultOf(view: ViewDefinition, batch: { cut: number | null; isOld: boolean }): FeatureFault | null;
}

/**
 * @param bytes - The region's record; null before it has one.
 * @throws CorruptRecordError for bytes that are not as they were written.
 */
export function regionState(
  bytes: Uint8Array | null,
  { nowMs, staleAfterMs }: { readonly nowMs: number; readonly staleAfterMs: number },
): RegionState {
  const record = bytes === null ? null : readRegionRecord(bytes);
  if (record === null || record.asOfMs === neverMs) {
    return { record, staleness: null, faultOf: () => notHere };
  }
  const { asOfMs, feeds } = record;
  return {
    record,
    staleness: nowMs - asOfMs > staleAfterMs ? { asOfMs, reason } : null,
    faultOf: ({ fingerprint }, { cut, isOld }) => {
      const known = feeds.get(fingerprint);
      if (known === undefined) return notHere;
      const absentCut = isOld ? -1 : known.cut;
      return (cut ?? absentCut) < known.floor ? notCovered : null;
    },
  };
}

const reason = "The region has not heard from its home since then";

const notHere: FeatureFault = {
  code: "GAP",
  message: "The region has not got the view from its home yet",
};

const notCovered: FeatureFault = {
  code: "GAP",
  message: "The region lacks events that its batch records do not cover yet",
};
