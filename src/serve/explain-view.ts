/**
 * Explains a view's answer: which tiles and raw events entered each window, and where they came
 * from. It is worked out anew from the records, with the functions that combined them, so that
 * answering without an explanation costs nothing more.
 *
 * What entered has an origin: `batch`, the batch record; `stream`, the epochs past its cut; `late`,
 * those of them from before the batch record's watermark. A stream tile that reaches across the
 * watermark counts as `stream`.
 */

import { limits } from "../core/limits.ts";
import type { FeatureDefinition } from "../define/definition.ts";
import { windowBounds } from "../window/bounds.ts";
import type { Interval } from "../window/bounds.ts";
import { gapOf, instantOf, sectionsOf } from "./combine-view.ts";
import type { EntityRecords } from "./combine-view.ts";
import { explainRow } from "./explain-row.ts";
import type { RowExplanation } from "./explain-row.ts";
import { lanesOf, Origins } from "./section-lanes.ts";
import type { EnteredCount } from "./section-lanes.ts";
import { usedBounds } from "./used-bounds.ts";
import type { UsedBounds } from "./used-bounds.ts";
import type { FeatureAnswer } from "./view-answer.ts";
import type { ViewEvidence } from "./view-evidence.ts";
import type { ViewPlan } from "./view-plan.ts";

export interface WindowExplanation {
  readonly asked: Interval;
  /** What it was answered for: rounded, where `degraded` says so. */
  readonly used: UsedBounds;
  /** By origin; of a window that reaches behind what the records hold nothing entered. */
  readonly entered: readonly EnteredCount[];
}

export interface FeatureExplanation {
  /** Oldest first. None of an attribute, and none where the records were not combined. */
  readonly windows: readonly WindowExplanation[];
  /** How many older windows of a long series are not in `windows`. */
  readonly windowsLeftOut: number;
  /** Distinct values of the secondary key in the window; null where there is no such thing. */
  readonly keyCount: number | null;
  /** Of an attribute: the row it was read from, also where that is too old; null for none. */
  readonly row: RowExplanation | null;
}

/** An answer of a view, with what it was made of. */
export interface ExplainedAnswer {
  readonly evidence: ViewEvidence;
  /** In the order of `view.features`. */
  readonly features: readonly FeatureAnswer[];
}

/** One a feature, in the order of `view.features`. Pure, as `combineView` is. */
export function explainView(
  plan: ViewPlan,
  { evidence, features }: ExplainedAnswer,
  nowMs: number,
): readonly FeatureExplanation[] {
  const { view } = plan;
  const { records } = evidence;
  if (!isCombined(plan, evidence)) return features.map(() => nothing);
  const atMs = instantOf(view, records, nowMs);
  const sections = sectionsOf(view, records);
  if (view.attributes !== null) {
    const row = explainRow(plan, records, { sections, atMs });
    return features.map(() => ({ ...nothing, row }));
  }
  const lanes = lanesOf(view, sections, records.batch);
  const byColumn = new Map<string, Origins>();
  const originsOf = ({ column }: FeatureDefinition): Origins => {
    const origins = byColumn.get(column) ?? new Origins(view, column, lanes);
    byColumn.set(column, origins);
    return origins;
  };
  const bounds = plan.windows.map(({ window }) => {
    const asked = windowBounds(view, window, atMs);
    return { asked, used: usedBounds(asked, sections) };
  });
  const windowsOf = view.features.map((): number[] => []);
  plan.windows.forEach(({ uses }, windowIndex) => {
    for (const { featureIndex, position } of uses) {
      (windowsOf[featureIndex] as number[])[position] = windowIndex;
    }
  });
  return view.features.map((feature, i) => {
    const all = (windowsOf[i] as number[]).map((each) => bounds[each] as WindowBounds);
    const windows = all.slice(-limits.explainedWindowsMax);
    return {
      ...nothing,
      windows: windows.map((each) => explainWindow(each, originsOf(feature))),
      windowsLeftOut: all.length - windows.length,
      keyCount: view.secondaryKey === null ? null : lengthOf(features[i]),
    };
  });
}

type WindowBounds = Pick<WindowExplanation, "asked" | "used">;

const nothing: FeatureExplanation = {
  windows: [],
  windowsLeftOut: 0,
  keyCount: null,
  row: null,
};

function isCombined({ view }: ViewPlan, { fault, records }: ViewEvidence): boolean {
  return fault === null && isKnown(view.kind, records) && gapOf(records) === null;
}

function isKnown(kind: "streamView" | "batchView", { batch, stream }: EntityRecords): boolean {
  return batch !== null || (stream !== null && kind === "streamView");
}

/** The answers of a view with a secondary key are arrays of one value a key. */
function lengthOf(answer: FeatureAnswer | undefined): number | null {
  return Array.isArray(answer?.value) ? answer.value.length : null;
}

function explainWindow({ asked, used }: WindowBounds, origins: Origins): WindowExplanation {
  return { asked, used, entered: used.gap ? [] : origins.enteredIn(used) };
}
