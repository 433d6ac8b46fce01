/** Reads the vectors of an answer, for one row or for many. */

import { decodeValue, toArray } from "./decode-value.ts";
import type { WireType } from "./decode-value.ts";
import type { HttpAnswer } from "./read-answer.ts";
import { invalidAnswer } from "./read-answer.ts";

/** Values by the names of features. What an answer does not tell of a feature is left out. */
export interface Vector {
  readonly features: Readonly<Record<string, unknown>>;
  readonly statuses: Readonly<Record<string, unknown>>;
  readonly effectiveTimes: Readonly<Record<string, number>>;
  readonly details: Readonly<Record<string, unknown>>;
}

/** A feature's own names and types, once for all rows; in a batch, lists of the rest. */
interface WireFeature {
  readonly name: string;
  readonly dataType: WireType;
  readonly effectiveTime?: string;
  readonly status?: unknown;
  readonly details?: unknown;
}

interface WireAnswer {
  readonly result: WireRow | readonly WireRow[];
  readonly metadata: { readonly features: readonly WireFeature[] };
}

interface WireRow {
  readonly features: readonly unknown[];
}

/** @throws TilemarkError INVALID_ANSWER where the body is of another form. */
export function readVector({ body }: HttpAnswer, action: string): Vector {
  return orInvalid(action, () => {
    const { result, metadata } = body as WireAnswer;
    return decodeRow(result as WireRow, metadata.features, (told) => told);
  });
}

/**
 * A reader of the vector of each row.
 *
 * @throws as `readVector` does, for all rows or from the reader for one.
 */
export function readVectors(
  { body }: HttpAnswer,
  rowCount: number,
  action: string,
): (index: number) => Vector {
  const { rows, features } = orInvalid(action, () => {
    const { result, metadata } = body as WireAnswer;
    const rows = toArray(result);
    if (rows.length !== rowCount) throw new TypeError("Cannot read rows: some are missing");
    return { rows, features: metadata.features };
  });
  return (index) =>
    orInvalid(action, () =>
      decodeRow(rows[index] as WireRow, features, (told) =>
        told === undefined ? undefined : toArray(told)[index],
      ),
    );
}

/** @param ofRow what is told of this row, out of what is told of all. */
function decodeRow(
  row: WireRow,
  features: readonly WireFeature[],
  ofRow: (told: unknown) => unknown,
): Vector {
  const values = toArray(row.features);
  if (values.length !== features.length)
    throw new TypeError("Cannot read values: some are missing");
  const named = <Told>(tell: (feature: WireFeature, index: number) => Told | null | undefined) =>
    Object.fromEntries(
      features.flatMap((feature, i) => {
        const told = tell(feature, i);
        return told === undefined || told === null ? [] : [[feature.name, told] as const];
      }),
    );
  return {
    features: Object.fromEntries(
      features.map(({ name, dataType }, i) => [name, decodeValue(dataType, values[i])]),
    ),
    statuses: named(({ status }) => ofRow(status)),
    effectiveTimes: named(({ effectiveTime }) =>
      effectiveTime === undefined ? undefined : Date.parse(effectiveTime),
    ),
    details: named(({ details }) => ofRow(details)),
  };
}

function orInvalid<T>(action: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw invalidAnswer(action, 200, cause);
  }
}
