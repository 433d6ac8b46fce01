/** `min` and `max`: numbers by value, strings by their UTF-8 bytes. */

import type { ByteReader, ByteWriter } from "../core/bytes.ts";
import { CorruptRecordError } from "../core/errors.ts";
import { readScalar, writeScalar } from "../core/scalar-codec.ts";
import { compareScalars } from "../core/value.ts";
import type { Scalar, ScalarType } from "../core/value.ts";
import type { AggregateFunction, BoundFunction, StateAlgebra } from "./aggregate.ts";
import { createFunction } from "./create-function.ts";

export interface ExtremeState {
  /** Null when there was none. */
  value: Scalar | null;
}

const comparedTypes: readonly ScalarType[] = ["int64", "float64", "string", "timestamp"];

export const min = createExtreme("min", (order) => order < 0);
export const max = createExtreme("max", (order) => order > 0);

function createExtreme(name: string, isBetter: (order: number) => boolean): AggregateFunction {
  return createFunction(name, comparedTypes, (input): BoundFunction => ({
    states: [createExtremeAlgebra({ name, input, isBetter })],
    output: input,
    emptyValue: null,
    finish: ([state]) => (state as ExtremeState).value,
  }));
}

interface ExtremeOptions {
  readonly name: string;
  readonly input: ScalarType;
  readonly isBetter: (order: number) => boolean;
}

/** Bytes: 0 when empty, else 1 and the value. */
function createExtremeAlgebra({
  name,
  input,
  isBetter,
}: ExtremeOptions): StateAlgebra<ExtremeState> {
  return {
    key: name,
    ordered: false,
    empty: () => ({ value: null }),
    isEmpty: (state) => state.value === null,
    addInto: keepBetter,
    mergeInto(state, from) {
      if (from.value !== null) keepBetter(state, from.value);
    },
    write(state, writer: ByteWriter) {
      writer.byte(state.value === null ? 0 : 1);
      if (state.value !== null) writeScalar(writer, input, state.value);
    },
    readInto(state, reader: ByteReader) {
      const flag = reader.byte();
      if (flag > 1) throw new CorruptRecordError(`Cannot read a ${name}: its flag is not 0 or 1`);
      if (flag === 1) keepBetter(state, readScalar(reader, input));
    },
  };

  function keepBetter(state: ExtremeState, value: Scalar): void {
    if (state.value === null || isBetter(compareScalars(value, state.value))) state.value = value;
  }
}
