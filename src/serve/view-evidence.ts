/** What a view's answer was made of, kept for a request that asks for an explanation. */

import type { RegionRecord } from "../tile/region-record.ts";
import type { EntityRecords } from "./combine-view.ts";
import type { FeatureFault } from "./view-answer.ts";

export interface ViewEvidence {
  /** Opened. Both null for a deleted entity, whose records are hidden. */
  readonly records: EntityRecords;
  /** As they are stored; 0 where there is none. */
  readonly batchBytes: number;
  readonly streamBytes: number;
  readonly isDeleted: boolean;
  /** Why they were not combined; null where they were. */
  readonly fault: FeatureFault | null;
  /** Of a region that follows another; null at home, and before the region has one. */
  readonly region: RegionRecord | null;
}
