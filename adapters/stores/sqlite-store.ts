/** An online store in SQLite: a Durable Object's, or a file's. Large values span several rows. */

import { FeatureError } from "../../src/core/errors.ts";
import { groupBy } from "../../src/core/group-by.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoreWrite,
  StoredValue,
} from "../../src/store/online-store.ts";
import { refuseWrites } from "../../src/store/refuse-writes.ts";
import { bytesOf, numberOf, textOf } from "../../src/store/sql-handle.ts";
import type { SqlHandle, SqlRow } from "../../src/store/sql-handle.ts";

/** A row of a Durable Object's SQLite holds at most 2 MB. */
const partBytesMax = 1_500_000;
/** A bind holds as little; a UTF-16 unit of a key takes at most 3 bytes of it. */
const keyUnitsPerStatementMax = 500_000;

export class SqliteStore implements OnlineStore {
  readonly capabilities: StoreCapabilities = {
    name: "sqlite",
    binary: true,
    keysPerTripMax: 10_000,
    compareAndSet: true,
    stalenessMsMax: 0,
    keyBytesMax: 2048,
    valueBytesMax: 25 * 2 ** 20,
  };
  readonly #sql: SqlHandle;

  constructor(sql: SqlHandle) {
    this.#sql = sql;
    sql.run(`CREATE TABLE IF NOT EXISTS records (
      key TEXT NOT NULL, part INTEGER NOT NULL, version INTEGER NOT NULL, bytes BLOB NOT NULL,
      PRIMARY KEY (key, part))`);
    sql.run("CREATE TABLE IF NOT EXISTS deleted_versions (highest INTEGER NOT NULL)");
  }

  readMany(
    keys: readonly string[],
    options: StoreReadOptions = {},
  ): Promise<readonly (StoredValue | null)[]> {
    return attempt("read", () => {
      options.signal?.throwIfAborted();
      return this.readManySync(keys);
    });
  }

  /** The same read without a promise: by primary key, as a rule in one statement. */
  readManySync(keys: readonly string[]): readonly (StoredValue | null)[] {
    const rows = splitKeys(new Set(keys)).flatMap((wanted) =>
      this.#sql.run(
        `SELECT r.key, r.version, r.bytes FROM json_each(?) AS wanted
         JOIN records AS r ON r.key = wanted.value ORDER BY r.key, r.part`,
        JSON.stringify(wanted),
      ),
    );
    const parts = groupBy(rows, (row) => textOf(row["key"]));
    return keys.map((key) => joinParts(parts.get(key)));
  }

  write(writes: readonly StoreWrite[]): Promise<readonly boolean[]> {
    return attempt("write", () => {
      refuseWrites(writes, this.capabilities);
      return this.#sql.transaction(() => writes.map((write) => this.#apply(write)));
    });
  }

  #apply({ key, bytes, expectedVersion }: StoreWrite): boolean {
    const [current] = this.#sql.run("SELECT version FROM records WHERE key = ? AND part = 0", key);
    const version = current === undefined ? null : numberOf(current["version"]);
    if (expectedVersion !== undefined && expectedVersion !== (version?.toString() ?? null)) {
      return false;
    }
    if (bytes === null) this.#delete(key, version);
    else this.#put(key, bytes, version);
    return true;
  }

  #put(key: string, bytes: Uint8Array, version: number | null): void {
    const nextVersion = (version ?? this.#deletedVersion()) + 1;
    const partCount = Math.max(1, Math.ceil(bytes.length / partBytesMax));
    if (version !== null) {
      this.#sql.run("DELETE FROM records WHERE key = ? AND part >= ?", key, partCount);
    }
    for (let part = 0; part < partCount; part++) {
      this.#sql.run(
        "INSERT OR REPLACE INTO records (key, part, version, bytes) VALUES (?, ?, ?, ?)",
        key,
        part,
        nextVersion,
        bytes.subarray(part * partBytesMax, (part + 1) * partBytesMax),
      );
    }
  }

  /** A key that is written again goes on past every version that was deleted. */
  #delete(key: string, version: number | null): void {
    if (version === null) return;
    this.#sql.run("DELETE FROM records WHERE key = ?", key);
    if (version <= this.#deletedVersion()) return;
    this.#sql.run("DELETE FROM deleted_versions");
    this.#sql.run("INSERT INTO deleted_versions (highest) VALUES (?)", version);
  }

  #deletedVersion(): number {
    const [row] = this.#sql.run("SELECT highest FROM deleted_versions");
    return row === undefined ? 0 : numberOf(row["highest"]);
  }
}

function splitKeys(keys: ReadonlySet<string>): string[][] {
  const lists: string[][] = [];
  let units = Infinity;
  for (const key of keys) {
    units += key.length;
    if (units > keyUnitsPerStatementMax) {
      lists.push([]);
      units = key.length;
    }
    lists.at(-1)?.push(key);
  }
  return lists;
}

function joinParts(rows: readonly SqlRow[] | undefined): StoredValue | null {
  const first = rows?.[0];
  if (rows === undefined || first === undefined) return null;
  const version = String(numberOf(first["version"]));
  if (rows.length === 1) return { bytes: bytesOf(first["bytes"]), version };
  const parts = rows.map((row) => bytesOf(row["bytes"]));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return { bytes, version };
}

/** Errors of the database come out without its text, which may hold keys. */
function attempt<T>(action: "read" | "write", body: () => T): Promise<T> {
  try {
    return Promise.resolve(body());
  } catch (cause) {
    if (cause instanceof FeatureError) return Promise.reject(cause);
    return Promise.reject(
      new FeatureError(
        "STORE_UNAVAILABLE",
        `Cannot ${action} the SQLite store: the ${action} failed`,
        {
          cause,
          retryable: true,
        },
      ),
    );
  }
}
