/** Readers: requests for features from every region, each answer judged when it arrives. */

import { FeatureError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import type { FeatureDefinition, ViewDefinition } from "../../src/define/definition.ts";
import { readViews } from "../../src/serve/read-views.ts";
import type { FeatureAnswer } from "../../src/serve/view-answer.ts";
import { Life } from "./actors.ts";
import type { Network } from "./actors.ts";
import type { CheckedRead } from "./check-answer.ts";
import type { Clocks } from "./clocks.ts";
import type { Cluster } from "./cluster.ts";

export interface ReaderParts {
  readonly network: Network;
  readonly cluster: Cluster;
  readonly clocks: Clocks;
  readonly onAnswer: (read: CheckedRead, feature: FeatureDefinition, answer: FeatureAnswer) => void;
  readonly onUnavailable: (error: unknown) => void;
}

export interface ReadTarget {
  readonly view: ViewDefinition;
  readonly entity: string;
}

/** One request; `atMs` null takes the reader's clock. */
export async function readOnce(
  parts: ReaderParts,
  targets: readonly ReadTarget[],
  region: number,
): Promise<void> {
  const { network, cluster, clocks } = parts;
  const { scheduler } = network;
  const life = new Life(`reader in ${region}`, { onCrash: null, crashChance: 0 });
  const startedMs = scheduler.nowMs;
  const clockMs = clocks.now(`reader ${region}`);
  const homes = cluster.servingHomes(life, region);
  let answered: Awaited<ReturnType<typeof readViews>>;
  try {
    answered = await readViews(homes, targets, { nowMs: clockMs });
  } catch (error) {
    if (!(error instanceof FeatureError)) throw error;
    return parts.onUnavailable(error);
  }
  const endedMs = scheduler.nowMs;
  // Past its deadline a request has timed out: what it found by then may be of two times.
  if (endedMs - startedMs > limits.requestMsMax) return parts.onUnavailable(null);
  answered.answers.forEach(({ view, features }, i) => {
    const { entity } = targets[i] as ReadTarget;
    const visibleUntilMs = startedMs - cluster.freshnessMs(view, region);
    const read = { view, entity, region, clockMs, startedMs, endedMs, visibleUntilMs };
    features.forEach((answer, j) => {
      parts.onAnswer(read, view.features[j] as FeatureDefinition, answer);
    });
  });
}
