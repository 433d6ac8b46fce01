/** The mark of a deleted entity. That it is there is all it says. */

import { frameRecord } from "./record-frame.ts";

export function writeTombstone(): Uint8Array {
  return frameRecord("tombstone", []);
}
