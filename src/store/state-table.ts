/** The contract of a small durable table: what the publisher remembers. */

export interface StateTable {
  get(key: string): Promise<unknown>;
  /** The entries whose keys start with a prefix, by key, ascending. */
  list(prefix: string, range?: StateRange): Promise<ReadonlyMap<string, unknown>>;
  /** Writes all entries or none; undefined deletes an entry. At most `limits.stateEntriesMax`. */
  put(entries: Readonly<Record<string, unknown>>): Promise<void>;
}

export interface StateRange {
  /** Keys after this one alone. */
  readonly afterKey?: string;
  /** So many of them, the first ones. */
  readonly countMax?: number;
}
