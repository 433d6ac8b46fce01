/** The key-value storage of a Durable Object as the publisher uses it. */

import type { StateTable } from "../../../src/store/state-table.ts";

export function durableTable(storage: DurableObjectStorage): StateTable {
  return {
    get: (key) => storage.get(key),
    list: (prefix, { afterKey, countMax } = {}) =>
      storage.list({
        prefix,
        ...(afterKey !== undefined && { startAfter: afterKey }),
        ...(countMax !== undefined && { limit: countMax }),
      }),
    put: async (entries) => {
      const [gone, kept] = [new Array<string>(), new Map<string, unknown>()];
      for (const [key, value] of Object.entries(entries)) {
        if (value === undefined) gone.push(key);
        else kept.set(key, value);
      }
      // Writes with no await between them are kept together or not at all.
      const deleted = storage.delete(gone);
      await storage.put(Object.fromEntries(kept));
      await deleted;
    },
  };
}
