/** What every store asks of the writes of a call before it makes any of them. */

import { FeatureError, assert } from "../core/errors.ts";
import type { StoreCapabilities, StoreWrite } from "./online-store.ts";

/**
 * @throws FeatureError TOO_LARGE for a value past what the store keeps, and an assertion where a key
 *   is written twice.
 */
export function refuseWrites(
  writes: readonly StoreWrite[],
  { valueBytesMax }: Pick<StoreCapabilities, "valueBytesMax">,
): void {
  const keys = new Set(writes.map(({ key }) => key));
  assert(keys.size === writes.length, "each key is written once a call");
  for (const { bytes } of writes) {
    if (bytes === null || bytes.length <= valueBytesMax) continue;
    throw new FeatureError(
      "TOO_LARGE",
      `Cannot write a record: it has ${bytes.length} bytes, at most ${valueBytesMax} are kept`,
    );
  }
}
