/** Payments of users by card: a source that several entities name, and what views of it bring. */

import type { Scalar } from "../../src/core/value.ts";
import type {
  EntityDefinition,
  SourceDefinition,
  SourceEvent,
  ViewDefinition,
} from "../../src/define/definition.ts";
import {
  batchSource,
  batchView,
  count,
  entity,
  last,
  streamSource,
  streamView,
} from "../../src/index.ts";
import type { Deletion, OfflineEvent, OfflineStore } from "../../src/offline/offline-store.ts";
import { batches, requestOf, scanAll } from "./offline-fixtures.ts";
import type { FlatRow } from "./offline-fixtures.ts";

const columns = { user_id: "string", card: "int64", amt: "float64" } as const;

export const payments = streamSource("payments", { timestamp: "ts", id: "id", columns });

/** The same columns in another order. */
export const archive = batchSource("archive", {
  timestamp: "ts",
  id: "id",
  columns: { amt: "float64", card: "int64", user_id: "string", note: "string" },
});

export const user = entity("user", { user_id: "string" });
export const card = entity("card", { card: "int64" });
export const account = entity("account", { user_id: "string", card: "int64" });

function viewOf(
  name: string,
  entities: readonly [EntityDefinition, ...EntityDefinition[]],
): ViewDefinition {
  return streamView(name, {
    entities: entities as unknown as [typeof account],
    source: payments,
    windowing: "sliding",
    interval: "5m",
    features: { amt: [count("1h"), last("1d")] },
    compaction: { every: "1d" },
  });
}

export const byUser = viewOf("by_user", [user]);
export const byCard = viewOf("by_card", [card]);
export const byBoth = viewOf("by_both", [card, user]);
export const byAccount = viewOf("by_account", [account]);

export const archiveByUser: ViewDefinition = batchView("archive_by_user", {
  entities: [user],
  source: archive,
  windowing: "sliding",
  interval: "5m",
  features: { amt: [count("1h"), last("1d")] },
  compaction: { every: "1d" },
});

/** A view of streams whose history is elsewhere. */
export const byUserSince: ViewDefinition = { ...byUser, name: "by_user_since", history: archive };

export interface Payment {
  readonly id: string;
  readonly user: string | null;
  readonly card?: number | bigint | null;
  readonly atMs?: number;
  readonly amt?: number | null;
}

export function paymentOf(source: SourceDefinition, payment: Payment): SourceEvent {
  const { id, user: userId, card: cardNumber = 1, atMs = 1, amt = 1 } = payment;
  return shapeEvent(source, { ts: atMs, id, user_id: userId, card: cardNumber, amt });
}

/** An event with its columns in the source's order; those that are not given are null. */
export function shapeEvent(
  source: SourceDefinition,
  cells: Readonly<Record<string, Scalar | null>>,
): SourceEvent {
  const values = source.columns.map(({ name }) => cells[name] ?? null);
  return {
    id: source.id === null ? "" : String(cells[source.id]),
    timestampMs: cells[source.timestamp] as number,
    values,
  };
}

export function paymentsOf(source: SourceDefinition, ...list: readonly Payment[]): SourceEvent[] {
  return list.map((payment) => paymentOf(source, payment));
}

export function putPayments(
  store: OfflineStore,
  epoch: number,
  ...list: readonly Payment[]
): Promise<void> {
  return putRows(store, { source: payments, shard: "main-0", epoch }, list);
}

export async function putRows(
  store: OfflineStore,
  name: { readonly source: SourceDefinition; readonly shard: string; readonly epoch: number },
  list: readonly Payment[],
): Promise<void> {
  const rows = list.map((payment, i): OfflineEvent => ({
    ...paymentOf(name.source, payment),
    seq: i + 1,
    epoch: name.epoch,
    arrivedAtMs: 0,
  }));
  await store.putSegment(name, batches(rows));
}

export function deletionOf(definition: EntityDefinition, ...joinKeys: readonly Scalar[]): Deletion {
  return { entity: definition, joinKeys };
}

/** `key id` of each row of a scan, in its order. */
export async function idsIn(
  store: OfflineStore,
  view: ViewDefinition,
  options: { readonly cut?: number; readonly fromMs?: number; readonly untilMs?: number } = {},
): Promise<string[]> {
  const rows = await scanAll(store, requestOf(view, options));
  return rows.map((row: FlatRow) => {
    const keys = row.slice(0, view.joinKeys.length).map(String);
    return `${keys.join("|")} ${String(row[view.joinKeys.length + 1])}`;
  });
}
