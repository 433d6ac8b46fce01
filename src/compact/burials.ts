/**
 * Deletions of entities: a tombstone in every home hides the records at once and for good; whom it
 * names is kept only until the offline store has taken the deletion over.
 */

import { FeatureError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { EntityDefinition, Repository, ViewDefinition } from "../define/definition.ts";
import type { ShardedStreams } from "../ingest/sharded-streams.ts";
import type { OnlineStore } from "../store/online-store.ts";
import type { StateTable } from "../store/state-table.ts";
import { entityKey, tombstoneKey, tombstoneKeys, tombstonePrefix } from "../tile/keys.ts";
import { writeTombstone } from "../tile/tombstone.ts";
import type { DeleteRequest, PendingDeletion } from "./compaction-api.ts";
import { burialFeed } from "./publish-feed.ts";
import type { PublishFeed } from "./publish-feed.ts";

export interface BurialParts {
  readonly repository: Repository;
  readonly batchStore: OnlineStore;
  readonly streams: ShardedStreams;
  readonly state: StateTable;
  readonly feed: PublishFeed;
}

/** State entries: whom a deletion names, and that there was one. */
const pendingPrefix = "deletion:";
const buriedPrefix = "tombstone:";

export class Burials {
  readonly #parts: BurialParts;

  constructor(parts: BurialParts) {
    this.#parts = parts;
  }

  async delete({ entity: name, joinKeys }: DeleteRequest): Promise<void> {
    const entity = findEntity(this.#parts.repository, name);
    if (joinKeys.length !== entity.joinKeys.length) {
      throw new FeatureError(
        "INVALID_REQUEST",
        `Cannot delete entity "${name}": it has ${entity.joinKeys.length} join keys, ${joinKeys.length} were given`,
      );
    }
    const tombstone = tombstoneKey(entity, entityKey(joinKeys));
    const digest = digestOf(tombstone);
    // Remembered first: where burying fails half-way, the next compaction goes on with it.
    await this.#parts.state.put({
      [pendingPrefix + digest]: { entity: name, joinKeys },
      [buriedPrefix + digest]: true,
      ...(await this.#parts.feed.adding(burialFeed, { kind: "bury", tombstone })),
    });
    await this.#bury([tombstone]);
  }

  async pending(): Promise<readonly PendingDeletion[]> {
    const entries = await this.#parts.state.list(pendingPrefix);
    const deletions = [...entries].map(([key, request]) => ({
      ...(request as DeleteRequest),
      name: key.slice(pendingPrefix.length),
    }));
    await this.#bury(deletions.map(({ name }) => tombstonePrefix + name));
    return deletions;
  }

  async finish(names: readonly string[]): Promise<void> {
    for (let i = 0; i < names.length; i += limits.stateEntriesMax) {
      const some = names.slice(i, i + limits.stateEntriesMax);
      await this.#parts.state.put(
        Object.fromEntries(some.map((name) => [pendingPrefix + name, undefined])),
      );
    }
  }

  /** @throws FeatureError INVALID_REQUEST where no tombstone hides one of the entities. */
  async requireBuried(view: ViewDefinition, entities: readonly string[]): Promise<void> {
    for (const entity of entities) {
      if (await this.isBuried(view, entity)) continue;
      throw new FeatureError(
        "INVALID_REQUEST",
        `Cannot erase records of view "${view.name}": one of the entities was not deleted`,
      );
    }
  }

  /** Whether a tombstone hides an entity of a view. */
  async isBuried(view: ViewDefinition, entity: string): Promise<boolean> {
    for (const tombstone of tombstoneKeys(view, entity)) {
      const entry = await this.#parts.state.get(buriedPrefix + digestOf(tombstone));
      if (entry !== undefined) return true;
    }
    return false;
  }

  /** Tombstones are in every home, so that a request finds them where its view's records are. */
  async #bury(tombstones: readonly string[]): Promise<void> {
    if (tombstones.length === 0) return;
    const writes = tombstones.map((key) => ({ key, bytes: writeTombstone() }));
    await Promise.all([this.#parts.streams.bury(tombstones), this.#parts.batchStore.write(writes)]);
  }
}

/** The entity that a deletion names. @throws FeatureError NOT_FOUND. */
export function findEntity({ entities }: Repository, name: string): EntityDefinition {
  const entity = entities.get(name);
  if (entity !== undefined) return entity;
  const shown = name.slice(0, limits.nameLengthMax);
  throw new FeatureError("NOT_FOUND", `Cannot delete entity "${shown}": it is not defined`);
}

function digestOf(tombstone: string): string {
  return tombstone.slice(tombstonePrefix.length);
}
