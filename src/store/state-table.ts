/** The contract of a small durable table: what the publisher remembers. */

export interface StateTable {
  get(key: string): Promise<unknown>;
  /** The entries whose keys start with a prefix, by key, ascending. */
  list(prefix: string): Promise<ReadonlyMap<string, unknown>>;
  /** Writes all entries or none; undefined deletes an entry. */
  put(entries: Readonly<Record<string, unknown>>): Promise<void>;
}
