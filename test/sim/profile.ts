/** What can go wrong in a run, and how often: a seed draws one profile and its own strength of it. */

import type { Random } from "../builders/random.ts";

/** Chances of one call between two actors, or of one step of an actor on what is its own. */
export interface CallFaults {
  /** It fails and was never done. */
  readonly errorBefore: number;
  /** It was done, and the caller is told that it failed. */
  readonly errorAfter: number;
  /** The caller is told that it failed, and it is done later, out of order with what follows. */
  readonly late: number;
  /** It is done twice, the second time later; the caller hears of one of them. */
  readonly duplicate: number;
}

export interface Profile {
  readonly name: ProfileName;
  readonly calls: CallFaults;
  /** Chances that a step on an actor's own storage fails; such a step is never late and never twice. */
  readonly own: Pick<CallFaults, "errorBefore" | "errorAfter">;
  /** How often such a step takes time, so that others come in between. */
  readonly ownSlow: number;
  /** Whether stream homes keep their records in a store of others, with its own late writes. */
  readonly remoteStreams: boolean;
  /** Chance, at each step, that the actor is dropped. */
  readonly crash: number;
  readonly compactorCrash: number;
  /** Chance, at each call of a compactor, that it stands still for hours. */
  readonly pause: number;
  readonly delayMsMax: number;
  /** By how much a late call is late, at most. */
  readonly lateMsMax: number;
  /** The same for writes of batch records: in time, or long after. */
  readonly lateBatchMsMax: number;
  /** Whether clocks of ingest and compaction jump by hours. */
  readonly jumpyClocks: boolean;
  /** Chance that a copy of a batch record is much older than the store promises. */
  readonly staleCopy: number;
  readonly bitFlip: number;
}

export const profileNames = [
  "calm",
  "lossy",
  "crashy",
  "stale",
  "laggy",
  "jumpy",
  "paused",
  "all",
] as const;
export type ProfileName = (typeof profileNames)[number];

const noCalls: CallFaults = { errorBefore: 0, errorAfter: 0, late: 0, duplicate: 0 };

const calm: Profile = {
  name: "calm",
  calls: noCalls,
  own: { errorBefore: 0, errorAfter: 0 },
  ownSlow: 0.1,
  remoteStreams: false,
  crash: 0,
  compactorCrash: 0,
  pause: 0,
  delayMsMax: 300,
  lateMsMax: 30_000,
  lateBatchMsMax: 0,
  jumpyClocks: false,
  staleCopy: 0,
  bitFlip: 0,
};

/** The profile of a run; `name` null draws one. */
export function drawProfile(random: Random, name: ProfileName | null): Profile {
  const drawn = random.pick(profileNames);
  const strength = 0.1 + 0.9 * random.next() ** 2;
  const calls = {
    errorBefore: 0.04 * strength,
    errorAfter: 0.05 * strength,
    late: 0.05 * strength,
    duplicate: 0.06 * strength,
  };
  const own = { errorBefore: 0.006 * strength, errorAfter: 0.006 * strength };
  const crashes = { crash: 0.004 * strength, compactorCrash: 0.02 * strength };
  const common = {
    ...calm,
    ownSlow: random.pick([0.05, 0.2, 0.5]),
    remoteStreams: random.next() < 0.3,
  };
  const stale = { staleCopy: 0.1 * strength, lateBatchMsMax: 3 * 3_600_000 };
  switch (name ?? drawn) {
    case "calm":
      return calm;
    case "lossy":
      return { ...common, name: "lossy", calls, own, bitFlip: 0.01 * strength };
    case "crashy":
      return { ...common, name: "crashy", ...crashes };
    case "stale":
      return { ...common, name: "stale", ...stale };
    case "laggy":
      return {
        ...common,
        name: "laggy",
        calls,
        ...stale,
        delayMsMax: 2_000,
        lateMsMax: 4 * 3_600_000,
      };
    case "jumpy":
      return { ...common, name: "jumpy", calls: { ...calls, late: 0 }, jumpyClocks: true };
    case "paused":
      return {
        ...common,
        name: "paused",
        pause: random.pick([0.005, 0.02]),
        compactorCrash: 0.01 * strength,
      };
    case "all":
      return {
        ...common,
        ...crashes,
        ...stale,
        name: "all",
        calls,
        own,
        pause: 0.005 * strength,
        delayMsMax: 1_000,
        lateMsMax: 3_600_000,
        jumpyClocks: random.next() < 0.3,
        bitFlip: 0.005 * strength,
      };
  }
}

/** Whether an answer without a number is a failure: copies are as fresh as the store promises. */
export function promisesAvailability(profile: Profile): boolean {
  return profile.staleCopy === 0 && !profile.jumpyClocks;
}
