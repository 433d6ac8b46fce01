/** Offline stores against a model, over random rows, loads, corrections, deletions and purges. */

import { expect, test } from "vitest";
import type { Scalar } from "../../src/core/value.ts";
import type { EntityDefinition, ViewDefinition } from "../../src/define/definition.ts";
import { randomFrom } from "../builders/random.ts";
import type { Random } from "../builders/random.ts";
import type { OfflineUnderTest } from "./offline-contract.ts";
import { batches, collect, requestOf, scanAll } from "./offline-fixtures.ts";
import { OfflineModel } from "./offline-model.ts";
import type { ModelRow } from "./offline-model.ts";
import { openDuckdb, openMemory } from "./open-stores.ts";
import {
  account,
  archive,
  archiveByUser,
  byAccount,
  byBoth,
  byCard,
  byUser,
  byUserSince,
  card,
  payments,
  shapeEvent,
  user,
} from "./payment-fixtures.ts";

const views = [byUser, byCard, byBoth, byAccount, archiveByUser, byUserSince];

interface Run {
  readonly under: OfflineUnderTest;
  readonly model: OfflineModel;
  readonly random: Random;
}

/** A step that is put into the store and the model alike. */
type Step = (run: Run, step: number) => Promise<void>;

function randomRow(random: Random, id: number): ModelRow {
  return {
    id: `id${id}`,
    ts: random.integer(-20, 20) * 7_200_000 + random.integer(0, 3),
    user_id: random.integer(0, 8) === 0 ? null : `u${random.integer(0, 4)}`,
    card: random.integer(0, 8) === 0 ? null : random.pick([1, 2, 3, 2n ** 62n]),
    amt: random.integer(0, 5) === 0 ? null : random.integer(0, 1_000),
  };
}

/** Ids come back on purpose, but for those of the log among themselves. */
function randomRows(random: Random, countMax: number): ModelRow[] {
  return Array.from({ length: random.integer(1, countMax) }, () =>
    randomRow(random, random.integer(0, 150)),
  );
}

async function putSegment({ under, model, random }: Run, epoch: number): Promise<void> {
  const rows = Array.from({ length: random.integer(0, 15) }, (_, i) =>
    randomRow(random, epoch * 15 + i),
  );
  const name = { source: payments, shard: "main-0", epoch };
  const events = rows.map((row, seq) => ({ ...shapeEvent(payments, row), seq, epoch }));
  await under.store.putSegment(name, batches(events.map((row) => ({ ...row, arrivedAtMs: 0 }))));
  model.sourceOf(payments).segments.push({ epoch, rows });
}

async function putLoad({ under, model, random }: Run): Promise<void> {
  const source = random.pick([payments, payments, archive]);
  const rows = randomRows(random, 25);
  const events = rows.map((row) => shapeEvent(source, row));
  const name = await under.load(source, events);
  model.sourceOf(source).loads.push({ name, epoch: null, rows });
}

async function registerLoads({ under, model, random }: Run): Promise<void> {
  for (const load of model.sourceOf(payments).loads.filter(({ epoch }) => epoch === null)) {
    if (random.integer(0, 4) === 0) continue;
    load.epoch = random.integer(0, 16);
    await under.store.registerLoad({ name: load.name, source: payments }, load.epoch);
  }
}

async function putCorrections({ under, model, random }: Run): Promise<void> {
  const source = random.pick([payments, payments, archive]);
  const corrections = randomRows(random, 12).map((row) => ({
    id: row["id"] as string,
    row: random.integer(0, 3) === 0 ? null : row,
  }));
  await under.store.putCorrections(
    source,
    corrections.map(({ id, row }) => ({
      id,
      event: row === null ? null : shapeEvent(source, row),
    })),
  );
  model.sourceOf(source).corrections.push(...corrections);
}

async function putDeletions({ under, model, random }: Run): Promise<void> {
  const userId = `u${random.integer(0, 4)}`;
  const cardNumber = random.pick([1, 2, 3, 2n ** 62n]);
  const [entity, joinKeys] = random.pick<[EntityDefinition, Scalar[]]>([
    [user, [userId]],
    [card, [cardNumber]],
    [account, [userId, cardNumber]],
    [account, [userId, cardNumber]],
  ]);
  await under.store.putDeletions([{ entity, joinKeys }]);
  model.delete(entity, joinKeys);
}

async function purge({ under, model }: Run): Promise<void> {
  await under.store.purge(views);
  model.purge(views);
}

async function putPublished({ under, model, random }: Run): Promise<void> {
  const request = randomRequest(random, random.pick(views));
  await under.store.putPublished(request);
  model.putPublished(request);
}

async function forgetPublished({ under, model, random }: Run): Promise<void> {
  const view = random.pick(views);
  const forgotten = model.deleted(view).filter(() => random.integer(0, 3) > 0);
  await under.store.forgetPublished(view, forgotten);
  for (const entity of forgotten) model.forget(view, entity);
}

const steps: readonly Step[] = [
  putSegment,
  putSegment,
  putSegment,
  putLoad,
  putLoad,
  registerLoads,
  registerLoads,
  putCorrections,
  putDeletions,
  purge,
  purge,
  putPublished,
  putPublished,
  forgetPublished,
];

function randomRequest(random: Random, view: ViewDefinition) {
  const [fromMs, untilMs] = [random.integer(-20, 20), random.integer(-20, 20)].sort(
    (a, b) => a - b,
  );
  return requestOf(view, {
    cut: random.integer(-1, 20),
    fromMs: random.integer(0, 2) === 0 ? -Infinity : (fromMs as number) * 7_200_000,
    untilMs: random.integer(0, 2) === 0 ? Infinity : (untilMs as number) * 7_200_000,
  });
}

async function check({ under, model, random }: Run, view: ViewDefinition): Promise<void> {
  const { store } = under;
  const request = randomRequest(random, view);
  expect(await scanAll(store, request), "scan").toEqual(model.scan(request));
  expect(await collect(store.deletedEntities(view)), "deleted").toEqual(model.deleted(view));
  expect(await collect(store.vanishedEntities(request)), "vanished").toEqual(
    model.vanished(request),
  );
  const [afterEpoch, throughEpoch] = [random.integer(-1, 10), random.integer(0, 20)];
  const found = await collect(store.entitiesOf(view, { afterEpoch, throughEpoch }));
  expect(found, "entities").toEqual(model.entitiesOf(view, afterEpoch, throughEpoch));
}

async function play(under: OfflineUnderTest, seed: number): Promise<void> {
  const random = randomFrom(seed);
  const run: Run = { under, model: new OfflineModel(), random };
  const taken: string[] = [];
  try {
    for (let i = 0; i < 20; i++) {
      const step = random.pick(steps);
      taken.push(step.name);
      await step(run, i);
      await check(run, random.pick(views));
    }
    for (const view of views) await check(run, view);
  } catch (cause) {
    throw new Error(`Seed ${seed} fails after ${taken.join(", ")}: ${String(cause)}`, { cause });
  }
}

test("MemoryOfflineStore agrees with the model", async () => {
  for (let seed = 1; seed <= 300; seed++) await play(openMemory(), seed);
}, 60_000);

test.each([1, 2, 3, 4, 5])(
  "DuckdbOfflineStore agrees with the model, seed %i",
  async (seed) => play(await openDuckdb(), seed),
  120_000,
);
