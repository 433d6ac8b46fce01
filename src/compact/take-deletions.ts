/** Carries deletions into the offline store, and their records out of the online one. */

import { limits } from "../core/limits.ts";
import { FeatureError } from "../core/errors.ts";
import type { EntityDefinition, Repository, ViewDefinition } from "../define/definition.ts";
import type { OfflineStore } from "../offline/offline-store.ts";
import type { CompactionApi, CompactionRun } from "./compaction-api.ts";

/** Resolves when the offline store knows every deletion, and nobody else whom they named. */
export async function takeDeletions(
  api: CompactionApi,
  offline: OfflineStore,
  { entities }: Repository,
): Promise<void> {
  const pending = await api.deletions();
  if (pending.length === 0) return;
  await offline.putDeletions(
    pending.map(({ entity, joinKeys }) => ({ entity: entityOf(entities, entity), joinKeys })),
  );
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
