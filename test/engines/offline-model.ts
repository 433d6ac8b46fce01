/** What an offline store should hold and bring, worked out row by row from lists of everything put. */

import { compareScalars, compareUtf8 } from "../../src/core/value.ts";
import type { Scalar } from "../../src/core/value.ts";
import type {
  EntityDefinition,
  SourceDefinition,
  ViewDefinition,
} from "../../src/define/definition.ts";
import type { ScanRequest } from "../../src/offline/offline-store.ts";
import { entityKey } from "../../src/tile/keys.ts";
import type { FlatRow } from "./offline-fixtures.ts";

/** A row by the names of its columns. */
export type ModelRow = Readonly<Record<string, Scalar | null>>;

interface ModelLoad {
  readonly name: string;
  epoch: number | null;
  rows: ModelRow[];
}

interface ModelSource {
  readonly segments: { readonly epoch: number; rows: ModelRow[] }[];
  readonly loads: ModelLoad[];
  corrections: { readonly id: string; row: ModelRow | null }[];
}

export class OfflineModel {
  readonly #sources = new Map<string, ModelSource>();
  readonly #deleted: { readonly entity: EntityDefinition; readonly joinKeys: readonly Scalar[] }[] =
    [];
  readonly #published = new Map<string, Map<string, ModelRow>>();
  /** By view, the rows that purges took out of segments. */
  readonly #taken = new Map<string, { readonly epoch: number; readonly row: ModelRow }[]>();

  sourceOf({ name }: SourceDefinition): ModelSource {
    const found = this.#sources.get(name) ?? { segments: [], loads: [], corrections: [] };
    this.#sources.set(name, found);
    return found;
  }

  publishedOf({ name }: ViewDefinition): Map<string, ModelRow> {
    const found = this.#published.get(name) ?? new Map<string, ModelRow>();
    this.#published.set(name, found);
    return found;
  }

  delete(entity: EntityDefinition, joinKeys: readonly Scalar[]): void {
    this.#deleted.push({ entity, joinKeys });
  }

  purge(views: readonly ViewDefinition[]): void {
    for (const view of views) {
      for (const { epoch, rows } of this.sourceOf(view.source).segments) {
        const taken = rows.filter((row) => this.#isCovered(row)).map((row) => ({ epoch, row }));
        this.#takenOf(view).push(...taken);
      }
      for (const source of new Set([view.source, view.history ?? view.source])) {
        const { segments, loads, corrections } = this.sourceOf(source);
        const rows = [
          ...segments.flatMap((segment) => segment.rows),
          ...loads.flatMap((load) => load.rows),
          ...corrections.map(({ row }) => row).filter((row) => row !== null),
        ];
        this.#publish(
          view,
          rows.filter((row) => this.#isCovered(row)),
        );
      }
    }
    for (const { segments, loads, corrections } of this.#sources.values()) {
      const isKept = (row: ModelRow) => !this.#isCovered(row);
      for (const each of [...segments, ...loads]) each.rows = each.rows.filter(isKept);
      for (const each of corrections) if (each.row !== null && !isKept(each.row)) each.row = null;
    }
  }

  putPublished(request: ScanRequest): void {
    const { view, cut } = request;
    this.#publish(view, this.#rowsOf(request));
    if (view.kind === "streamView") this.#publish(view, this.segmentRows(view, -1, cut));
  }

  forget(view: ViewDefinition, entity: string): void {
    this.publishedOf(view).delete(entity);
    const left = this.#takenOf(view).filter(({ row }) => entityIn(view, row) !== entity);
    this.#taken.set(view.name, left);
  }

  entitiesOf(view: ViewDefinition, afterEpoch: number, throughEpoch: number): string[] {
    const taken = this.#takenOf(view)
      .filter(({ epoch }) => epoch > afterEpoch && epoch <= throughEpoch)
      .map(({ row }) => row)
      .filter((row) => !this.#isHidden(view, row));
    const rows = [...this.segmentRows(view, afterEpoch, throughEpoch), ...taken];
    const entities = rows.map((row) => entityIn(view, row));
    return [...new Set(entities.filter((entity) => entity !== null))].sort();
  }

  segmentRows(view: ViewDefinition, afterEpoch: number, throughEpoch: number): ModelRow[] {
    const { segments } = this.sourceOf(view.source);
    const inRange = segments.filter(({ epoch }) => epoch > afterEpoch && epoch <= throughEpoch);
    return inRange.flatMap(({ rows }) => rows).filter((row) => !this.#isCovered(row));
  }

  scan(request: ScanRequest): readonly FlatRow[] {
    const { joinKeys, valueColumns } = request.view;
    return this.#rowsOf(request)
      .map((row): FlatRow => [
        ...joinKeys.map(({ name }) => row[name] ?? null),
        row["ts"] as number,
        row["id"] as string,
        ...valueColumns.map(({ name }) => row[name] ?? null),
      ])
      .sort((a, b) => compareRows(a, b, joinKeys.length));
  }

  deleted(view: ViewDefinition): string[] {
    const published = [...this.publishedOf(view)];
    return published
      .filter(([, row]) => this.#isHidden(view, row))
      .map(([entity]) => entity)
      .sort();
  }

  vanished(request: ScanRequest): string[] {
    const { view } = request;
    const present = new Set(this.#rowsOf(request).map((row) => entityIn(view, row)));
    return [...this.publishedOf(view)]
      .filter(([entity, row]) => !present.has(entity) && !this.#isHidden(view, row))
      .map(([entity]) => entity)
      .sort();
  }

  #takenOf({ name }: ViewDefinition): { readonly epoch: number; readonly row: ModelRow }[] {
    const found = this.#taken.get(name) ?? [];
    this.#taken.set(name, found);
    return found;
  }

  #publish(view: ViewDefinition, rows: readonly ModelRow[]): void {
    for (const row of rows) {
      const entity = entityIn(view, row);
      if (entity !== null) this.publishedOf(view).set(entity, row);
    }
  }

  /** Of a scan, with all join keys of its view. */
  #rowsOf({ view, cut, fromMs, untilMs }: ScanRequest): ModelRow[] {
    const source = view.history ?? view.source;
    const { segments, loads, corrections } = this.sourceOf(source);
    const seen = loads.filter(
      ({ epoch }) => source.kind === "batchSource" || (epoch !== null && epoch <= cut),
    );
    const lists = [
      ...segments.filter(({ epoch }) => epoch <= cut).sort((a, b) => a.epoch - b.epoch),
      ...seen.sort((a, b) => compareUtf8(a.name, b.name)),
    ];
    const events = new Map<string, ModelRow | null>();
    for (const row of lists.flatMap(({ rows }) => rows)) {
      const id = row["id"] as string;
      if (!this.#isCovered(row) && !events.has(id)) events.set(id, row);
    }
    for (const { id, row } of corrections) if (events.has(id)) events.set(id, row);
    return [...events.values()].filter((row): row is ModelRow => {
      if (row === null || this.#isCovered(row) || entityIn(view, row) === null) return false;
      return (row["ts"] as number) >= fromMs && (row["ts"] as number) < untilMs;
    });
  }

  #isCovered(row: ModelRow): boolean {
    return this.#deleted.some(({ entity, joinKeys }) =>
      entity.joinKeys.every(({ name }, i) => row[name] === joinKeys[i]),
    );
  }

  #isHidden({ entities }: ViewDefinition, row: ModelRow): boolean {
    return this.#deleted.some(
      ({ entity, joinKeys }) =>
        entities.some(({ name }) => name === entity.name) &&
        entity.joinKeys.every(({ name }, i) => row[name] === joinKeys[i]),
    );
  }
}

export function entityIn({ joinKeys }: ViewDefinition, row: ModelRow): string | null {
  const values = joinKeys.map(({ name }) => row[name] ?? null);
  return values.includes(null) ? null : entityKey(values as Scalar[]);
}

function compareRows(a: FlatRow, b: FlatRow, keyCount: number): number {
  for (let i = 0; i < keyCount + 2; i++) {
    const order = compareScalars(a[i] as Scalar, b[i] as Scalar);
    if (order !== 0) return order;
  }
  return 0;
}
