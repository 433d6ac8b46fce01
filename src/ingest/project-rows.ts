/** Which stream records the rows of a log belong to, and what each of them gets. */

import { groupBy } from "../core/group-by.ts";
import type { Repository } from "../define/definition.ts";
import type { LogRow } from "../store/event-log.ts";
import type { PlacedEvent, RecordEvents } from "../store/stream-home.ts";
import { readSourceEvent } from "./source-event-codec.ts";
import { entityOf, projectView, rawEventOf } from "./view-projection.ts";
import type { ViewProjection } from "./view-projection.ts";

export class RowProjection {
  /** Of every stream view of the repository. */
  readonly fingerprints: readonly string[];
  readonly #repository: Repository;
  readonly #projections: ReadonlyMap<string, readonly ViewProjection[]>;

  constructor(repository: Repository) {
    this.#repository = repository;
    this.#projections = streamProjections(repository);
    this.fingerprints = [...this.#projections.values()].flatMap((projections) =>
      projections.map(({ view }) => view.fingerprint),
    );
  }

  recordsOf(rows: readonly LogRow[]): RecordEvents[] {
    const placed: { view: string; entity: string; event: PlacedEvent }[] = [];
    for (const row of rows) {
      const source = this.#repository.sources.get(row.source);
      // A source that is not defined any more has no view to apply its rows to; they stay in the log.
      if (source === undefined) continue;
      const event = readSourceEvent(source, row);
      for (const projection of this.#projections.get(row.source) ?? []) {
        const entity = entityOf(projection, event);
        if (entity === null) continue;
        const raw = rawEventOf(projection, event);
        placed.push({
          view: projection.view.name,
          entity,
          event: { seq: row.seq, epoch: row.epoch, event: raw },
        });
      }
    }
    const groups = groupBy(placed, ({ view, entity }) => `${view} ${entity}`);
    return [...groups.values()].map((group) => ({
      view: (group[0] as { view: string }).view,
      entity: (group[0] as { entity: string }).entity,
      events: group.map(({ event }) => event),
    }));
  }
}

function streamProjections(repository: Repository): Map<string, ViewProjection[]> {
  const views = [...repository.views.values()].filter(({ kind }) => kind === "streamView");
  return groupBy(views.map(projectView), ({ view }) => view.source.name);
}
