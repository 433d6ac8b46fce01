/** Deno KV with the cases it must pass, those of its own included; runs in Deno alone. */

import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { DenoKvStore } from "../../adapters/stores/deno-kv-store.ts";
import type { KvDatabase, KvEntry } from "../../adapters/stores/deno-kv-values.ts";
import { patternOf } from "../../src/store/contract/contract-case.ts";
import { storeContract } from "../../src/store/contract/store-contract.ts";
import type { OpenedCases } from "./open-store-cases.ts";

interface OpenDatabase extends KvDatabase {
  get(key: readonly string[]): Promise<KvEntry>;
  set(key: readonly string[], value: unknown): Promise<{ readonly versionstamp: string }>;
  delete(key: readonly string[]): Promise<void>;
  close(): void;
}

interface DenoHost {
  openKv(path: string): Promise<OpenDatabase>;
}

interface DenoKvCase {
  readonly name: string;
  run(kv: OpenDatabase): Promise<void>;
}

/** Calls that went to the database. */
interface Tapped {
  readonly kv: KvDatabase;
  readonly reads: { readonly keyCount: number; readonly consistency: string }[];
  readonly commits: { mutations: number; checks: number }[];
}

export async function openDenoKvCases(path: string): Promise<OpenedCases> {
  const { openKv } = (globalThis as unknown as { readonly Deno: DenoHost }).Deno;
  const kv = await openKv(path);
  const closed = await openKv(":memory:");
  closed.close();
  const contract = storeContract({ store: new DenoKvStore(kv), failing: new DenoKvStore(closed) });
  const own = denoKvCases.map(({ name, run }) => ({ name, skip: null, run: () => run(kv) }));
  return { cases: [...contract, ...own], close: () => Promise.resolve(kv.close()) };
}

const denoKvCases: readonly DenoKvCase[] = [
  {
    name: "readMany() of n keys is one getMany() of every ten, all at once",
    async run(kv) {
      for (const keyCount of [1, 10, 11, 200, 1_234]) {
        const { kv: tapped, reads } = tap(kv);
        const keys = Array.from({ length: keyCount }, (_, i) => `trips/${i}`);
        const read = new DenoKvStore(tapped).readMany([...keys, ...keys]);
        // None waits for another's answer.
        strictEqual(reads.length, Math.ceil(keyCount / 10));
        deepStrictEqual(await read, Array(2 * keyCount).fill(null));
        strictEqual(reads.length, Math.ceil(keyCount / 10));
      }
    },
  },
  {
    name: "readMany() takes a second round for a value past 64 KiB alone",
    async run(kv) {
      const { kv: tapped, reads } = tap(kv);
      const store = new DenoKvStore(tapped);
      for (const [sizeBytes, trips] of [
        [65_535, [1]],
        [65_536, [1, 1]],
        [65_537, [1, 2]],
        [1_000_000, [1, 10, 6]],
      ] as const) {
        await store.write([{ key: "rounds", bytes: patternOf(sizeBytes), expectedVersion: null }]);
        reads.length = 0;
        const [value] = await store.readMany(["rounds"]);
        deepStrictEqual(Uint8Array.from(value?.bytes ?? []), patternOf(sizeBytes));
        const keyCounts = reads.map(({ keyCount }) => keyCount);
        deepStrictEqual(keyCounts, trips);
        await store.write([{ key: "rounds", bytes: null }]);
      }
    },
  },
  {
    name: "readMany() reads from the primary region, unless told otherwise",
    async run(kv) {
      const { kv: tapped, reads } = tap(kv);
      const strong = new DenoKvStore(tapped);
      const eventual = new DenoKvStore(tapped, { consistency: "eventual" });
      const options = { consistency: "eventual", stalenessMsMax: 5_000 } as const;
      for (const store of [strong, eventual]) await store.readMany(["a"]);
      const asked = reads.map(({ consistency }) => consistency);
      deepStrictEqual(asked, ["strong", "eventual"]);
      strictEqual(strong.capabilities.stalenessMsMax, 0);
      strictEqual(eventual.capabilities.stalenessMsMax, Infinity);
      strictEqual(new DenoKvStore(tapped, options).capabilities.stalenessMsMax, 5_000);
    },
  },
  {
    name: "write() commits as much at once as the database takes",
    async run(kv) {
      const { kv: tapped, commits } = tap(kv);
      const store = new DenoKvStore(tapped);
      const sizes: readonly [count: number, keyLength: number, sizeBytes: number | null][] = [
        [2_001, 8, null],
        [2_001, 40, 1],
        [100, 1_960, 10],
        [30, 1_900, 65_000],
        [50, 10, 65_535],
      ];
      for (const [count, keyLength, sizeBytes] of sizes) {
        commits.length = 0;
        const bytes = sizeBytes === null ? null : new Uint8Array(sizeBytes);
        const writes = Array.from({ length: count }, (_, i) => {
          return { key: `${i}`.padEnd(keyLength, "k"), bytes };
        });
        const applied = await store.write(writes);
        deepStrictEqual(
          applied,
          writes.map(() => true),
        );
        const keyBytes = count * (16 + keyLength);
        const allBytes = keyBytes + count * ((sizeBytes ?? -1) + 1);
        // As few as there can be, if each is filled but for one write.
        ok(commits.length >= Math.max(count / 1_000, keyBytes / 80_000, allBytes / 800_000));
        ok(
          commits.length <=
            Math.ceil(Math.max(count / 1_000, keyBytes / 78_000, allBytes / 734_000)),
        );
      }
    },
  },
  {
    name: "write() commits each guarded write by itself, with one check",
    async run(kv) {
      const { kv: tapped, commits, reads } = tap(kv);
      const store = new DenoKvStore(tapped);
      const keys = ["guard/a", "guard/b", "guard/c"];
      const writes = keys.map((key) => ({ key, bytes: new Uint8Array(1), expectedVersion: null }));
      deepStrictEqual(await store.write(writes), [true, true, true]);
      deepStrictEqual(commits, Array(3).fill({ mutations: 1, checks: 1 }));
      strictEqual(reads.length, 0);
    },
  },
  {
    name: "a versionstamp does not come back after a delete",
    async run(kv) {
      const key = ["tilemark-test", "stamp"];
      const stamps = new Set<string>();
      for (let round = 0; round < 20; round++) {
        stamps.add((await kv.set(key, round)).versionstamp);
        await kv.delete(key);
      }
      strictEqual(stamps.size, 20);
      deepStrictEqual([...stamps], [...stamps].sort());
    },
  },
  {
    name: "a check of what is no versionstamp throws, so that the store never makes one",
    async run(kv) {
      const commit = () => {
        const check = { key: ["tilemark-test", "check"], versionstamp: "1" };
        return kv.atomic().check(check).commit();
      };
      await rejects(async () => commit(), TypeError);
      const store = new DenoKvStore(kv);
      const write = { key: "check", bytes: new Uint8Array(1), expectedVersion: "1##0" };
      deepStrictEqual(await store.write([write]), [false]);
    },
  },
  {
    name: "readMany() rejects for what is not bytes, and names no key",
    async run(kv) {
      await kv.set(["tilemark", "foreign-key"], "text");
      await rejects(new DenoKvStore(kv).readMany(["foreign-key"]), (error: Error) => {
        ok(!`${String(error)} ${String(error.cause)}`.includes("foreign"));
        notStrictEqual((error as { code?: string }).code, undefined);
        return true;
      });
    },
  },
];

function tap(kv: OpenDatabase): Tapped {
  const tapped: Tapped = {
    kv: {
      getMany: (keys, options) => {
        tapped.reads.push({ keyCount: keys.length, ...options });
        return kv.getMany(keys, options);
      },
      atomic: () => {
        const commit = { mutations: 0, checks: 0 };
        tapped.commits.push(commit);
        const real = kv.atomic();
        const atomic: ReturnType<KvDatabase["atomic"]> = {
          check: (check) => {
            commit.checks += 1;
            real.check(check);
            return atomic;
          },
          set: (key, value) => {
            commit.mutations += 1;
            real.set(key, value);
            return atomic;
          },
          delete: (key) => {
            commit.mutations += 1;
            real.delete(key);
            return atomic;
          },
          commit: () => real.commit(),
        };
        return atomic;
      },
    },
    reads: [],
    commits: [],
  };
  return tapped;
}
