/** `GET /region`: how far a region has come in what it follows. */

import { Hono } from "hono";
import { FeatureError } from "../core/errors.ts";
import { formatInstant } from "../core/instant.ts";
import { regionKey } from "../tile/keys.ts";
import { neverMs, readRegionRecord } from "../tile/region-record.ts";
import type { HttpEnv } from "./request-clock.ts";
import { requireWorkspace } from "./require-workspace.ts";
import type { WorkspacesParts } from "./workspace.ts";

/**
 * `asOf` is the instant before which all that was acknowledged at home is here, null while there is
 * none; each view has the cut of its batch records that are all here, -1 before the first, and the
 * epoch that they must cover before it is answered.
 */
export function regionStatusRoute(parts: WorkspacesParts): Hono<HttpEnv> {
  const readable = requireWorkspace(parts, ["read"], { atHome: false });
  return new Hono<HttpEnv>().get("/region", readable, async (c) => {
    const { repository, homes } = c.var.workspace;
    const { region } = homes;
    if (region === undefined) {
      throw new FeatureError(
        "NOT_FOUND",
        "Cannot tell of a region: this is a home, it follows none",
      );
    }
    const [stored] = await region.progress.readMany([regionKey]);
    const record = stored ? readRegionRecord(stored.bytes) : null;
    const asOfMs = record?.asOfMs ?? neverMs;
    const views = [...repository.views.values()].map(({ name, fingerprint }) => {
      const { cut = -1, floor = null } = record?.feeds.get(fingerprint) ?? {};
      return [name, { cut, floor }];
    });
    return c.json({
      asOf: asOfMs === neverMs ? null : formatInstant(asOfMs),
      stale: c.var.nowMs - asOfMs > region.staleAfterMs,
      views: Object.fromEntries(views) as object,
    });
  });
}
