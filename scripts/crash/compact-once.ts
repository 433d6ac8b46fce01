/** One compaction of the crash runs' views, into an offline store that is opened for it. */

import { openOfflineStore } from "../../adapters/engines/duckdb/duckdb-offline-store.ts";
import type { CompactionApi } from "../../src/compact/compaction-api.ts";
import { compactViews } from "../../src/compact/compact-views.ts";
import { loadRepository } from "../../src/define/load-repository.ts";
import * as features from "./features.ts";

export interface CompactOnceRequest {
  readonly api: CompactionApi;
  /** Of the offline store. */
  readonly directory: string;
  readonly views: readonly string[];
}

const repository = loadRepository(features);
const memoryBytesMax = 128_000_000;
/** So few that a compaction of the workload publishes several times a view. */
const recordsPerPublish = 3;

export const viewNames: readonly string[] = [...repository.views.keys()];

/** @throws FeatureError as `compactViews` does. */
export async function compactOnce({ api, directory, views }: CompactOnceRequest): Promise<void> {
  const offline = await openOfflineStore({ directory, memoryBytesMax, threads: 1 });
  try {
    await compactViews({ api: inSmallBatches(api), offline, repository }, { views });
  } finally {
    await offline.close();
  }
}

function inSmallBatches(api: CompactionApi): CompactionApi {
  return {
    ...api,
    publish: async ({ records, ...run }) => {
      for (let i = 0; i < records.length; i += recordsPerPublish) {
        await api.publish({ ...run, records: records.slice(i, i + recordsPerPublish) });
      }
    },
  };
}
