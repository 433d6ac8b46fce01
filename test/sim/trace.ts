/** The trace of a run as JSON lines, for programs that know nothing of this one. */

import { limits } from "../../src/core/limits.ts";
import type { FeatureDefinition } from "../../src/define/definition.ts";
import type { FeatureAnswer } from "../../src/serve/view-answer.ts";
import { boundsOf } from "./check-answer.ts";
import type { CheckedRead } from "./check-answer.ts";
import { lifetimeOfUser } from "./id-views.ts";
import type { SimEvent } from "./model.ts";
import type { Scheduler } from "./scheduler.ts";

export class TraceWriter {
  readonly #seed: number;
  readonly #scheduler: Scheduler;
  readonly #onTrace: ((line: string) => void) | null;

  constructor(parts: {
    readonly seed: number;
    readonly scheduler: Scheduler;
    readonly onTrace: ((line: string) => void) | null;
  }) {
    this.#seed = parts.seed;
    this.#scheduler = parts.scheduler;
    this.#onTrace = parts.onTrace;
  }

  /** `visibleFrom` is the instant from which the event must be in the answers of every region. */
  ack(
    { tag, user, timestampMs }: SimEvent,
    { region, freshnessMs }: { readonly region: number; readonly freshnessMs: number },
  ): void {
    const visibleFrom =
      this.#scheduler.nowMs + freshnessMs + limits.requestMsMax + 2 * limits.clockErrorMsMax;
    this.#write({ kind: "ack", id: tag, entity: user, region, eventTs: timestampMs, visibleFrom });
  }

  heal(tag: string): void {
    this.#write({ kind: "heal", id: tag });
  }

  delete(entity: string): void {
    this.#write({ kind: "delete", entity });
  }

  /** Of all that is read, the lifetime window of the one view that a trace shows. */
  read(read: CheckedRead, feature: FeatureDefinition, answer: FeatureAnswer): void {
    if (this.#onTrace === null || read.view !== lifetimeOfUser) return;
    if (feature.window.sizeMs !== null) return;
    const { entity, region } = read;
    const at = boundsOf(read, feature, answer)?.endMs ?? read.clockMs;
    const ids = [...((answer.value ?? []) as readonly string[])].sort();
    this.#write({ kind: "read", entity, region, at, ids, status: answer.status });
  }

  #write(fields: Readonly<Record<string, unknown>>): void {
    if (this.#onTrace === null) return;
    this.#onTrace(JSON.stringify({ seed: this.#seed, t: this.#scheduler.nowMs, ...fields }));
  }
}
