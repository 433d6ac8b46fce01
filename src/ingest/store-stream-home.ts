/** A home of stream records over any online store with compare-and-set. */

import { FeatureError, assert } from "../core/errors.ts";
import type { Repository, ViewDefinition } from "../define/definition.ts";
import type {
  OnlineStore,
  StoreCapabilities,
  StoreReadOptions,
  StoredValue,
} from "../store/online-store.ts";
import type {
  ApplyContext,
  CollectRequest,
  EraseRequest,
  RecordEvents,
  StreamHome,
} from "../store/stream-home.ts";
import { applyEvents } from "./apply-events.ts";
import { collectEpochs } from "./collect-epochs.ts";
import { streamKey } from "../tile/keys.ts";
import { writeTombstone } from "../tile/tombstone.ts";

export class StoreStreamHome implements StreamHome {
  readonly #store: OnlineStore;
  readonly #repository: Repository;

  /** @throws an assertion for a store that cannot guard a write. */
  constructor(store: OnlineStore, repository: Repository) {
    assert(store.capabilities.compareAndSet, "a home of streams has compare-and-set");
    this.#store = store;
    this.#repository = repository;
  }

  get capabilities(): StoreCapabilities {
    return this.#store.capabilities;
  }

  readMany(
    keys: readonly string[],
    options?: StoreReadOptions,
  ): Promise<readonly (StoredValue | null)[]> {
    return this.#store.readMany(keys, options);
  }

  apply(records: readonly RecordEvents[], context: ApplyContext): Promise<void> {
    const resolved = records.map((record) => ({ ...record, view: this.#view(record.view) }));
    return applyEvents(this.#store, resolved, context);
  }

  collect({ view, ...request }: CollectRequest): Promise<void> {
    return collectEpochs(this.#store, this.#view(view), request);
  }

  async bury(tombstones: readonly string[]): Promise<void> {
    await this.#store.write(tombstones.map((key) => ({ key, bytes: writeTombstone() })));
  }

  async erase({ view: name, entities }: EraseRequest): Promise<void> {
    const view = this.#view(name);
    await this.#store.write(
      entities.map((entity) => ({ key: streamKey(view, entity), bytes: null })),
    );
  }

  #view(name: string): ViewDefinition {
    const view = this.#repository.views.get(name);
    if (view === undefined) {
      throw new FeatureError("NOT_FOUND", `Cannot find view "${name}": it is not defined`);
    }
    return view;
  }
}
