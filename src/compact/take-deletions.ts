/** Carries deletions into the offline store, and their records out of the online one. */

import { limits } from "../core/limits.ts";
import { FeatureError } from "../core/errors.ts";
import type { EntityDefinition, Repository, ViewDefinition } from "../define/definition.ts";
import type { OfflineStore } from "../offline/offline-store.ts";
import type { CompactionApi, CompactionRun, PendingDeletion } from "./compaction-api.ts";

/** Resolves with what the offline store has taken over. The server still knows whom it names. */
export async function takeDeletions(
  api: CompactionApi,
  offline: OfflineStore,
  { entities }: Repository,
): Promise<readonly PendingDeletion[]> {
  const pending = await api.deletions();
  if (pending.length === 0) return pending;
  await offline.putDeletions(
    pending.map(({ entity, joinKeys }) => ({ entity: entityOf(entities, entity), joinKeys })),
  );
  return pending;
}

/**
 * Resolves when the server knows nobody whom deletions named: neither by their names nor by rows of
 * the log that it keeps for other regions. All of those are forgotten, since none is told apart.
 *
 * @param shards - Of every log, drained.
 */
export async function finishDeletions(
  api: CompactionApi,
  pending: readonly PendingDeletion[],
  shards: readonly string[],
): Promise<void> {
  if (pending.length === 0) return;
  for (const shard of shards) await api.trimLog({ shard, epoch: -1, forgetTrimmed: true });
  await api.finishDeletions(pending.map(({ name }) => name));
}

/** Deletes what is left of deleted entities in a view's records. */
export async function eraseDeleted(
  api: CompactionApi,
  offline: OfflineStore,
  { view, run }: { readonly view: ViewDefinition; readonly run: CompactionRun },
): Promise<void> {
  const erased: string[] = [];
  for await (const entities of offline.deletedEntities(view)) {
    for (let i = 0; i < entities.length; i += limits.collectEntitiesMax) {
      const batch = entities.slice(i, i + limits.collectEntitiesMax);
      await api.erase({ view: view.name, fence: run.fence, entities: batch });
    }
    erased.push(...entities);
  }
  if (erased.length > 0) await offline.forgetPublished(view, erased);
}

function entityOf(entities: ReadonlyMap<string, EntityDefinition>, name: string): EntityDefinition {
  const entity = entities.get(name);
  if (entity !== undefined) return entity;
  throw new FeatureError(
    "NOT_FOUND",
    `Cannot carry out the deletion of an entity "${name}": this feature repository does not define it, define it until it is compacted`,
  );
}
