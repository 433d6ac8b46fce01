/** Many homes of stream records as one: an entity's records are all in one of them. */

import { groupBy } from "../core/group-by.ts";
import { shardOf } from "../tile/keys.ts";
import type {
  ApplyContext,
  CollectRequest,
  EraseRequest,
  RecordEvents,
  StreamHome,
} from "../store/stream-home.ts";

/** The writing side of a fixed number of homes. Readers ask the home of each entity themselves. */
export class ShardedStreams {
  readonly #homes: readonly StreamHome[];

  constructor(homes: readonly StreamHome[]) {
    this.#homes = homes;
  }

  async apply(records: readonly RecordEvents[], context: ApplyContext): Promise<void> {
    const groups = groupBy(records, ({ entity }) => this.#homeOf(entity));
    await Promise.all([...groups].map(([home, group]) => home.apply(group, context)));
  }

  async collect(request: CollectRequest): Promise<void> {
    const groups = groupBy(request.entities, (entity) => this.#homeOf(entity));
    await Promise.all(
      [...groups].map(([home, entities]) => home.collect({ ...request, entities })),
    );
  }

  /** A record may be in any home, so each has every tombstone. */
  async bury(tombstones: readonly string[]): Promise<void> {
    await Promise.all(this.#homes.map((home) => home.bury(tombstones)));
  }

  async erase(request: EraseRequest): Promise<void> {
    const groups = groupBy(request.entities, (entity) => this.#homeOf(entity));
    await Promise.all([...groups].map(([home, entities]) => home.erase({ ...request, entities })));
  }

  #homeOf(entity: string): StreamHome {
    return this.#homes[shardOf(entity, this.#homes.length)] as StreamHome;
  }
}
