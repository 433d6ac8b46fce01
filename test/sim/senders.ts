/** Senders of events: they keep sending a request, with the same ids, until they hear that it is in. */

import { FeatureError } from "../../src/core/errors.ts";
import { ingestRecords } from "../../src/ingest/ingest-records.ts";
import type { IngestOutcome } from "../../src/ingest/ingest-records.ts";
import { Life } from "./actors.ts";
import type { Network } from "./actors.ts";
import type { Clocks } from "./clocks.ts";
import type { Cluster } from "./cluster.ts";
import { events as source } from "./id-views.ts";
import type { Repository } from "../../src/define/definition.ts";
import type { SimEvent } from "./model.ts";
import type { Random } from "../builders/random.ts";

/** Some give up at once: what they sent may be in or not. */
const attemptsMaxOf = [1, 2, 6, 6] as const;

export interface SenderParts {
  readonly network: Network;
  readonly cluster: Cluster;
  readonly clocks: Clocks;
  readonly random: Random;
  readonly repository: Repository;
  /** Hears of each request that got through. */
  readonly onAccepted: (events: readonly SimEvent[], outcome: Accepted, region: number) => void;
  readonly onRetry: () => void;
}

export type Accepted = Extract<IngestOutcome, { kind: "accepted" }>;

/** Resolves when the request is through, or given up. */
export async function sendEvents(
  parts: SenderParts,
  events: readonly SimEvent[],
  region: number,
): Promise<void> {
  const { network, random } = parts;
  const client = new Life(`client in ${region}`, { onCrash: null, crashChance: 0 });
  const attemptsMax = random.pick(attemptsMaxOf);
  let pending = events;
  for (const event of events) event.sentMs = Math.min(event.sentMs, network.scheduler.nowMs);
  for (let attempt = 0; attempt < attemptsMax && pending.length > 0; attempt++) {
    if (attempt > 0) parts.onRetry();
    const outcome = await attemptSend(parts, pending, { client, region });
    if (outcome?.kind === "accepted") return parts.onAccepted(pending, outcome, region);
    // What is too late can only be loaded; the others are sent again without it.
    if (outcome?.kind === "refused") {
      const refused = new Set(outcome.errors.map(({ index }) => index));
      pending = pending.filter((_, i) => !refused.has(i));
    }
    await network.scheduler.sleep(random.integer(1, 3_000) * 2 ** attempt);
  }
}

/** Null where it failed, and may have been done. */
async function attemptSend(
  { network, cluster, clocks, repository }: SenderParts,
  events: readonly SimEvent[],
  { client, region }: { readonly client: Life; readonly region: number },
): Promise<IngestOutcome | null> {
  const worker = new Life(`worker in ${region}`, { onCrash: null, crashChance: 0 });
  const logShards = cluster.logShards(worker);
  const records = new Map([[source.name, events.map(entryOf)]]);
  try {
    return await network.callStore(client, {
      name: "ingest",
      body: () =>
        ingestRecords(
          { repository, logShards: () => logShards },
          { dryRun: false, records },
          clocks.now(`ingest ${region}`),
        ),
    });
  } catch (error) {
    network.note("ingest fails:", String(error));
    if (error instanceof FeatureError) return null;
    throw error;
  }
}

function entryOf({ id, timestampMs, user, card, tag }: SimEvent) {
  const ts = new Date(timestampMs).toISOString();
  return { record: { ts, id, user, card, tag }, place: null };
}
