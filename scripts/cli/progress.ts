/** One line of progress that rewrites itself on a terminal; silent elsewhere. */

export interface ProgressStep {
  readonly label: string;
  readonly rows: number;
  /** 0 where it is not known: no time left is shown then. */
  readonly rowsTotal: number;
  readonly keys?: number;
  readonly bytes?: number;
}

const redrawMs = 100;

export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  #label = "";
  #startedAtMs = 0;
  #drawnAtMs = 0;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
  }

  show(step: ProgressStep): void {
    if (!this.#stream.isTTY) return;
    const nowMs = performance.now();
    if (step.label !== this.#label) {
      this.#label = step.label;
      this.#startedAtMs = nowMs;
    } else if (nowMs - this.#drawnAtMs < redrawMs) return;
    this.#drawnAtMs = nowMs;
    this.#stream.write(`\r\u001b[2K${progressText(step, nowMs - this.#startedAtMs)}`);
  }

  /** Clears the line, so that what is printed next stands alone. */
  clear(): void {
    if (this.#stream.isTTY) this.#stream.write("\r\u001b[2K");
  }
}

/** Rows, keys, bytes, rate and time left, after `elapsedMs` of the step. */
export function progressText(step: ProgressStep, elapsedMs: number): string {
  const rate = elapsedMs === 0 ? 0 : step.rows / (elapsedMs / 1000);
  const parts = [`${step.label}: ${count(step.rows)} rows`];
  if (step.keys !== undefined) parts.push(`${count(step.keys)} keys`);
  if (step.bytes !== undefined) parts.push(bytesText(step.bytes));
  parts.push(`${count(Math.round(rate))} rows/s`);
  if (step.rowsTotal > step.rows && rate > 0) {
    parts.push(`${Math.ceil((step.rowsTotal - step.rows) / rate)} s left`);
  }
  return parts.join("  ");
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

export function bytesText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
