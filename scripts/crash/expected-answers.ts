/** What views of counts, sums and id lists must answer, worked out from the events themselves. */

import type { FeatureDefinition, ViewDefinition } from "../../src/define/definition.ts";

export interface WorkloadEvent {
  readonly id: string;
  readonly ts: number;
  readonly user_id: string;
  readonly group_id: string;
  readonly amount: number;
}

export type JoinKeys = Readonly<Record<string, string>>;

export interface ExpectedRequest {
  /** The events that the view must know. */
  readonly events: readonly WorkloadEvent[];
  readonly joinKeys: JoinKeys;
  /** For a batch view no later than its watermark. */
  readonly nowMs: number;
}

/** In the order of the view's features, as the wire writes them. */
export function expectedAnswers(view: ViewDefinition, request: ExpectedRequest): unknown[] {
  const { events, joinKeys, nowMs } = request;
  const rows = events
    .filter((event) =>
      view.joinKeys.every(({ name }) => event[name as keyof WorkloadEvent] === joinKeys[name]),
    )
    .sort((a, b) => a.ts - b.ts || (a.id < b.id ? -1 : 1));
  return view.features.map((feature) => {
    const { startMs, endMs } = windowOf(view, feature, nowMs);
    return answerOf(
      feature,
      rows.filter(({ ts }) => ts >= startMs && ts < endMs),
    );
  });
}

function windowOf(
  { windowing, intervalMs }: ViewDefinition,
  { window }: FeatureDefinition,
  nowMs: number,
): { readonly startMs: number; readonly endMs: number } {
  const endMs = windowing === "sliding" ? nowMs - (nowMs % intervalMs) : nowMs;
  if (window.sizeMs === null) return { startMs: -Infinity, endMs };
  const startMs = endMs - window.sizeMs;
  return { startMs: windowing === "sawtooth" ? startMs - (startMs % intervalMs) : startMs, endMs };
}

function answerOf({ functionName }: FeatureDefinition, rows: readonly WorkloadEvent[]): unknown {
  switch (functionName) {
    case "count":
      return String(rows.length);
    case "sum":
      return rows.length === 0 ? null : String(rows.reduce((sum, { amount }) => sum + amount, 0));
    case "last_distinct":
      return rows.map(({ id }) => id);
    default:
      throw new Error(`Cannot expect "${functionName}": this model has counts, sums and id lists`);
  }
}
