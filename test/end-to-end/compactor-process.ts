/** Starts compactors as processes, and lets them wait, stop and go on. */

import { spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export interface CompactorRequest {
  /** Of the server. */
  readonly url: string;
  /** Of the offline store. */
  readonly directory: string;
  readonly nowMs: number;
  /** It waits once more in the middle of sending this publish, from 1 on. */
  readonly pauseInPublish?: number;
}

export interface CompactorOutcome {
  /** "FINISHED", or the code of its FeatureError. */
  readonly code: string;
  readonly message?: string;
}

const script = new URL("compactor.ts", import.meta.url).pathname;

export class CompactorProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #lines: AsyncIterator<string>;
  #errors = "";

  private constructor(request: CompactorRequest) {
    this.#child = spawn(process.execPath, [script, JSON.stringify(request)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#child.stderr.on("data", (chunk: Buffer) => (this.#errors += chunk.toString("utf8")));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Resolves when it waits to begin. */
  static async start(request: CompactorRequest): Promise<CompactorProcess> {
    const process = new CompactorProcess(request);
    await process.waiting();
    return process;
  }

  async waiting(): Promise<void> {
    const line = await this.#line();
    if (line !== "waiting") throw new Error(`Cannot pause the compactor: it ended with ${line}`);
  }

  /** Lets one that waits go on. */
  proceed(): void {
    this.#child.stdin.write("proceed\n");
  }

  stop(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  async outcome(): Promise<CompactorOutcome> {
    return JSON.parse(await this.#line()) as CompactorOutcome;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error(`Cannot go on with the compactor: it died, ${this.#errors}`);
    return value;
  }
}
