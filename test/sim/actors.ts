/**
 * Actors and the one way in which they act on each other. A call takes time on its way there and
 * back, and on that way everything happens that the profile allows: it gets lost before or after it
 * was done, comes late, comes twice, or finds that one of the two is no more.
 *
 * What an actor was doing when it crashed never goes on, but what it had sent arrives: its successor
 * and its own last words meet.
 */

import { FeatureError } from "../../src/core/errors.ts";
import type { Random } from "../builders/random.ts";
import type { Profile } from "./profile.ts";
import type { Scheduler } from "./scheduler.ts";

/** One life of an actor. */
export class Life {
  readonly name: string;
  /** What happens to it when it crashes; null for one that never does. */
  readonly onCrash: (() => void) | null;
  readonly crashChance: number;
  readonly pauseChance: number;
  /** Ends the calls that it is serving. */
  readonly serving = new Set<() => void>();
  isAlive = true;

  constructor(
    name: string,
    fate: {
      readonly onCrash: (() => void) | null;
      readonly crashChance: number;
      readonly pauseChance?: number;
    },
  ) {
    this.name = name;
    this.onCrash = fate.onCrash;
    this.crashChance = fate.crashChance;
    this.pauseChance = fate.pauseChance ?? 0;
  }
}

/** An actor with a durable state, and the instance of it that is up; its successor finds the state. */
export class Actor<T> {
  readonly #open: (life: Life) => T;
  readonly #network: Network;
  readonly #name: string;
  up: { readonly life: Life; readonly instance: T } | null = null;

  constructor(network: Network, name: string, open: (life: Life) => T) {
    this.#network = network;
    this.#name = name;
    this.#open = open;
    this.#start();
  }

  /** Its successor is up after a while; drawn where it is not given. */
  crash(downMs?: number): void {
    if (this.up === null) return;
    const { life } = this.up;
    this.up = null;
    this.#network.note("crash", this.#name);
    end(life);
    const { random } = this.#network;
    const delayMs = downMs ?? random.integer(0, random.pick([1, 1, 20_000, 600_000]));
    this.#network.scheduler.after(delayMs, "restart", () => this.#start());
  }

  #start(): void {
    const life = new Life(this.#name, {
      onCrash: () => this.crash(),
      crashChance: this.#network.profile.crash,
    });
    this.up = { life, instance: this.#open(life) };
  }
}

/** What a call meets. */
type Fate = "done" | "errorBefore" | "errorAfter" | "late" | "duplicate";

export interface CallOptions {
  /** Where it differs from the profile's. */
  readonly lateMsMax?: number;
}

export class Network {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly profile: Profile;
  /** Off while everything settles. */
  isFaulty = true;
  faults = 0;
  crashes = 0;
  /** What happened, where somebody wants to read it. */
  readonly lines: string[] | null;
  /** Errors that no caller may ever see. */
  readonly internal: string[] = [];

  constructor(parts: {
    readonly scheduler: Scheduler;
    readonly random: Random;
    readonly profile: Profile;
    readonly isTraced: boolean;
  }) {
    this.scheduler = parts.scheduler;
    this.random = parts.random;
    this.profile = parts.profile;
    this.lines = parts.isTraced ? [] : null;
  }

  note(what: string, about: string): void {
    this.lines?.push(`${this.scheduler.nowMs} ${what} ${about}`);
  }

  #tell(life: Life, what: string, about: string): void {
    if (this.lines !== null) this.note(`${life.name} ${what}`, about);
  }

  /** A call of one actor on another; `body` runs on whoever is up when it arrives. */
  call<T, R>(
    caller: Life,
    target: Actor<T>,
    operation: {
      readonly name: string;
      readonly body: (instance: T) => Promise<R>;
      readonly options?: CallOptions;
    },
  ): Promise<R> {
    const serve = (answer: Answer<R>) => this.#serve(target, operation.body, answer);
    return this.#send(caller, { name: operation.name, serve, ...operation.options });
  }

  /** A call on something that is always up and has no life of its own, as a store of others. */
  callStore<R>(
    caller: Life,
    operation: {
      readonly name: string;
      readonly body: () => Promise<R>;
      readonly options?: CallOptions;
    },
  ): Promise<R> {
    const serve = (answer: Answer<R>) => this.#settle(operation.body, answer);
    return this.#send(caller, { name: operation.name, serve, ...operation.options });
  }

  /** A step of an actor on its own storage: atomic and in order, done when it is asked for. */
  own<R>(life: Life, name: string, body: () => Promise<R>): Promise<R> {
    if (!life.isAlive || this.#crashes(life, name)) return never();
    const { own } = this.profile;
    const draw = this.isFaulty ? this.random.next() : 1;
    if (draw < own.errorBefore) {
      this.faults += 1;
      return Promise.reject(unavailable(name));
    }
    this.#tell(life, "does", name);
    // Such steps alone would never come to an end that the scheduler sees.
    if (!this.scheduler.count(name)) return never();
    const result = body();
    if (draw < own.errorBefore + own.errorAfter) {
      this.faults += 1;
      // What it came to does not matter: the caller will never know.
      return result.then(
        () => Promise.reject(unavailable(name)),
        () => Promise.reject(unavailable(name)),
      );
    }
    if (this.#crashes(life, name)) return ignored(result);
    if (!this.isFaulty || this.random.next() >= this.profile.ownSlow) return result;
    return new Promise((resolve, reject) => {
      this.#settle(
        () => result,
        (isDone, value) => {
          this.scheduler.after(this.#delayMs(), name, () => {
            if (!life.isAlive) return;
            if (isDone) resolve(value as R);
            else reject(value as Error);
          });
        },
      );
    });
  }

  #send<R>(
    caller: Life,
    call: {
      readonly name: string;
      readonly serve: (answer: Answer<R>) => void;
      readonly lateMsMax?: number;
    },
  ): Promise<R> {
    const { name, serve } = call;
    if (!caller.isAlive || this.#crashes(caller, name)) return never();
    const fate = this.#fate(name);
    const lateMsMax = call.lateMsMax ?? this.profile.lateMsMax;
    const sendMs = this.#delayMs() + this.#pauseMs(caller, name);
    return new Promise((resolve, reject) => {
      let isAnswered = false;
      const answer = (isDone: boolean, value: unknown) => {
        this.scheduler.after(this.#delayMs(), name, () => {
          if (isAnswered || !caller.isAlive) return;
          isAnswered = true;
          if (this.#crashes(caller, name)) return;
          if (isDone) resolve(value as R);
          else reject(value as Error);
        });
      };
      const fail = () => answer(false, unavailable(name));
      const arrive = (delayMs: number, then: Answer<R>) => {
        this.scheduler.after(delayMs, name, () => {
          this.#tell(caller, "calls", name);
          serve(then);
        });
      };
      if (fate === "errorBefore" || (fate === "late" && lateMsMax === 0)) fail();
      else if (fate === "errorAfter") arrive(sendMs, fail);
      else if (fate === "late") {
        fail();
        arrive(sendMs + 1 + Math.floor(this.random.next() ** 2 * lateMsMax), unheard);
      } else {
        arrive(sendMs, answer);
        if (fate === "duplicate") {
          const second = this.random.next() < 0.3 ? answer : unheard;
          arrive(sendMs + Math.floor(this.random.next() ** 2 * lateMsMax), second);
        }
      }
    });
  }

  #serve<T, R>(target: Actor<T>, body: (instance: T) => Promise<R>, answer: Answer<R>): void {
    const { up } = target;
    if (up === null) {
      answer(false, unavailable("call"));
      return;
    }
    let isOpen = true;
    const once: Answer<R> = (isDone, value) => {
      if (!isOpen) return;
      isOpen = false;
      up.life.serving.delete(abort);
      answer(isDone, value);
    };
    const abort = () => once(false, unavailable("call"));
    up.life.serving.add(abort);
    this.#settle(() => body(up.instance), once);
  }

  #settle<R>(body: () => Promise<R>, answer: Answer<R>): void {
    body().then(
      (value) => answer(true, value),
      (error: unknown) => {
        if (!(error instanceof FeatureError) || error.code === "INTERNAL") {
          this.internal.push(
            error instanceof Error ? (error.stack ?? error.message) : String(error),
          );
        }
        answer(false, error);
      },
    );
  }

  #crashes(life: Life, name: string): boolean {
    if (!this.isFaulty || life.crashChance === 0 || life.onCrash === null) return false;
    if (this.random.next() >= life.crashChance) return false;
    this.crashes += 1;
    this.#tell(life, "crashes at", name);
    life.onCrash();
    return true;
  }

  #fate(name: string): Fate {
    if (!this.isFaulty) return "done";
    const { errorBefore, errorAfter, late, duplicate } = this.profile.calls;
    let draw = this.random.next();
    const chances = [
      ["errorBefore", errorBefore],
      ["errorAfter", errorAfter],
      ["late", late],
      ["duplicate", duplicate],
    ] as const;
    for (const [fate, chance] of chances) {
      if (draw < chance) {
        this.faults += 1;
        if (this.lines !== null) this.note(`fate ${fate} of`, name);
        return fate;
      }
      draw -= chance;
    }
    return "done";
  }

  #pauseMs(caller: Life, name: string): number {
    if (!this.isFaulty || caller.pauseChance === 0) return 0;
    if (this.random.next() >= caller.pauseChance) return 0;
    this.#tell(caller, "pauses before", name);
    return this.random.integer(60_000, this.random.pick([20 * 60_000, 5 * 3_600_000]));
  }

  /** Mostly short. */
  #delayMs(): number {
    const { delayMsMax } = this.profile;
    return 1 + Math.floor(this.random.next() ** 3 * (this.isFaulty ? delayMsMax : 50));
  }
}

type Answer<R> = (isDone: boolean, value: R | Error | unknown) => void;

/** Ends a life and what it was serving. */
export function end(life: Life): void {
  life.isAlive = false;
  for (const abort of [...life.serving]) abort();
}

export function unavailable(name: string): FeatureError {
  return new FeatureError("STORE_UNAVAILABLE", `Cannot ${name}: the simulation has it fail`, {
    retryable: true,
  });
}

function unheard(): void {
  // Whoever asked was told long ago that it had failed.
}

function never<R>(): Promise<R> {
  return new Promise(() => undefined);
}

/** The step was done, and nobody is left to hear of it. */
function ignored<R>(result: Promise<unknown>): Promise<R> {
  return result.then(never<R>, never<R>);
}
