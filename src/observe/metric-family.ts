/** A family of metrics: one name and help, one series for each set of label values. */

import { assert } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { Counter, Gauge, Histogram } from "./series.ts";

export interface FamilyHead {
  /** As OpenMetrics has it: the unit last, and a counter without its `_total`. */
  readonly name: string;
  readonly help: string;
  readonly unit?: "seconds" | "bytes";
  readonly labels: readonly string[];
}

export type FamilyType = "counter" | "gauge" | "histogram";

type SeriesOf<Type extends FamilyType> = {
  counter: Counter;
  gauge: Gauge;
  histogram: Histogram;
}[Type];

export interface LabelledSeries<Type extends FamilyType> {
  /** In the order of `head.labels`. */
  readonly values: readonly string[];
  readonly series: SeriesOf<Type>;
}

/** Stands for every value of a label that there is no room for, or that no definition names. */
export const otherLabel = "other";

const namePattern = /^[a-z][a-z0-9_]*$/;

export class MetricFamily<Type extends FamilyType = FamilyType> {
  readonly type: Type;
  readonly head: FamilyHead;
  readonly #create: () => SeriesOf<Type>;
  readonly #series = new Map<string, LabelledSeries<Type>>();

  constructor(type: Type, head: FamilyHead, create: () => SeriesOf<Type>) {
    const { name, unit, labels } = head;
    assert(
      [name, ...labels].every((each) => namePattern.test(each)),
      "names are lower case",
    );
    assert(unit === undefined || name.endsWith(`_${unit}`), "a name ends in its unit");
    this.type = type;
    this.head = head;
    this.#create = create;
    if (labels.length === 0) this.of();
  }

  /**
   * The series of some label values, in the order of `head.labels`. Those who measure often keep it.
   * Past `limits.metricSeriesMax` all that is new goes to one series, whose labels say "other".
   */
  of(...values: readonly string[]): SeriesOf<Type> {
    assert(values.length === this.head.labels.length, "each label has a value");
    const key = values.join("\u0000");
    const known = this.#series.get(key);
    if (known !== undefined) return known.series;
    const isFull = this.#series.size >= limits.metricSeriesMax;
    const others = values.map(() => otherLabel);
    if (isFull && key !== others.join("\u0000")) return this.of(...others);
    const series = this.#create();
    this.#series.set(key, { values, series });
    return series;
  }

  /** In the order in which they were first asked for. */
  get all(): readonly LabelledSeries<Type>[] {
    return [...this.#series.values()];
  }
}

export function counterFamily(head: FamilyHead): MetricFamily<"counter"> {
  return new MetricFamily("counter", head, () => new Counter());
}

export function gaugeFamily(head: FamilyHead): MetricFamily<"gauge"> {
  return new MetricFamily("gauge", head, () => new Gauge());
}

/** @param bounds - Ascending, in the unit of the name. */
export function histogramFamily(
  head: FamilyHead,
  bounds: readonly number[],
): MetricFamily<"histogram"> {
  return new MetricFamily("histogram", head, () => new Histogram(bounds));
}
