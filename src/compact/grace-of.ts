/** How long after a write an older copy of a record may still be met, in milliseconds. */

import { limits } from "../core/limits.ts";
import type { OnlineStore } from "../store/online-store.ts";

export function graceOf({ capabilities }: Pick<OnlineStore, "capabilities">): number {
  return capabilities.stalenessMsMax + limits.requestMsMax + limits.clockErrorMsMax;
}
