/** An answer as a table: what column by column encodings are made of. */

import type { DataType, Value } from "../../core/value.ts";

export interface AnswerColumn {
  readonly name: string;
  readonly type: DataType;
  /** One a row. */
  readonly values: readonly Value[];
  /** What is said of the column as a whole, as text by name. */
  readonly facts: Readonly<Record<string, string>>;
}

export interface AnswerTable {
  readonly rowCount: number;
  readonly columns: readonly AnswerColumn[];
  /** What is said of the answer as a whole, as text by name. */
  readonly facts: Readonly<Record<string, string>>;
}

/** What `tilemark/arrow` is to the app, which is given a function that loads it. */
export interface ArrowEncoder {
  /** The table as an Arrow IPC stream of one batch. */
  readonly encodeArrow: (table: AnswerTable) => Uint8Array<ArrayBuffer>;
}
