/**
 * The little that a store or a log needs of an SQLite database. Calls are synchronous: what a
 * transaction runs, nothing else comes between.
 */

export type SqlValue = string | number | null | Uint8Array;
export type SqlRow = Readonly<Record<string, string | number | null | ArrayBuffer | Uint8Array>>;

export interface SqlHandle {
  /** Runs one statement with at most 100 binds and returns its rows. */
  run(statement: string, ...binds: readonly SqlValue[]): readonly SqlRow[];
  /** Runs `body`; everything in it is kept, or nothing if it throws. Transactions do not nest. */
  transaction<T>(body: () => T): T;
}

/** A column of bytes, whichever form the database gives it. */
export function bytesOf(value: SqlRow[string] | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError("Cannot read a column: it does not hold bytes");
}

export function numberOf(value: SqlRow[string] | undefined): number {
  if (typeof value === "number") return value;
  throw new TypeError("Cannot read a column: it does not hold a number");
}

export function textOf(value: SqlRow[string] | undefined): string {
  if (typeof value === "string") return value;
  throw new TypeError("Cannot read a column: it does not hold text");
}
