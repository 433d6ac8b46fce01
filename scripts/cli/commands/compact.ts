/** `tilemark compact`: seals, folds and publishes, against a running server. */

import type { Command } from "commander";
import { httpCompactionApi } from "../../../adapters/admin/http-compaction-api.ts";
import { openOfflineStore } from "../../../adapters/engines/duckdb/duckdb-offline-store.ts";
import { compactViews } from "../../../src/compact/compact-views.ts";
import type { CompactionSummary } from "../../../src/compact/compact-views.ts";
import { FeatureError } from "../../../src/core/errors.ts";
import { formatInstant, parseInstant } from "../../../src/core/instant.ts";
import type { Repository } from "../../../src/define/definition.ts";
import { accessHeaders, addApiKeyOption } from "../api-key.ts";
import type { ApiKeyOptions } from "../api-key.ts";
import { loadFeatures } from "../load-features.ts";
import { bytesText, count, ProgressLine } from "../progress.ts";
import { parseBytes } from "../parse-bytes.ts";
import { callServer, serverUrl } from "../call-server.ts";
import { errorText } from "../error-text.ts";
import { untilStopped } from "../until-stopped.ts";

interface CompactOptions extends ApiKeyOptions {
  readonly features: string;
  readonly offline: string;
  readonly view?: readonly string[];
  readonly watermark?: string;
  readonly rollback?: string;
  readonly memory: string;
  readonly watch?: boolean;
  readonly json?: boolean;
}

export function addCompactCommand(program: Command): void {
  addApiKeyOption(program.command("compact"))
    .description("compact views: seal, fold, publish, collect")
    .requiredOption("--features <file>", "the module that exports the definitions")
    .requiredOption("--url <url>", "the running server")
    .option("--offline <directory>", "the offline store", ".tilemark/offline")
    .option("--view <name...>", "only these views; every view where it is left out")
    .option(
      "--watermark <instant>",
      "up to where batch history is complete; now where left out, but for views with a history",
    )
    .option(
      "--rollback <cut>",
      "fold one view again up to a cut that an earlier compaction printed; the next one goes on",
    )
    .option("--memory <size>", "memory that the engine may use, as in 512MB", "1GB")
    .option("--watch", "keep each view's cadence until stopped")
    .option("--json", "print one JSON object a view")
    .action(async (options: CompactOptions) => {
      const repository = await loadFeatures(options.features);
      if (options.watch === true) await watch(repository, options);
      else await runOnce(repository, options, options.view);
    });
}

async function runOnce(
  repository: Repository,
  options: CompactOptions,
  views: readonly string[] | undefined,
): Promise<void> {
  const offline = await openOfflineStore({
    directory: options.offline,
    memoryBytesMax: parseBytes(options.memory),
  });
  const line = new ProgressLine();
  const baseUrl = serverUrl(options.url);
  const headers = accessHeaders({ ...options, url: baseUrl });
  const startedAt = performance.now();
  try {
    const summaries = await compactViews(
      {
        api: httpCompactionApi({ baseUrl, fetch: callServer, headers }),
        offline,
        repository,
        onProgress: ({ view, phase, ...step }) => {
          line.show({ label: `${view} ${phase}`, ...step });
        },
      },
      {
        ...(views === undefined ? {} : { views }),
        ...(options.watermark === undefined
          ? {}
          : { watermarkMs: parseWatermark(options.watermark) }),
        ...(options.rollback === undefined ? {} : { rollbackCut: parseCut(options.rollback) }),
      },
    );
    line.clear();
    const seconds = (performance.now() - startedAt) / 1000;
    for (const summary of summaries) {
      console.log(
        options.json === true ? JSON.stringify(summary) : summaryText(repository, summary),
      );
    }
    if (options.json !== true) console.log(`Compacted in ${seconds.toFixed(1)} s`);
  } finally {
    line.clear();
    await offline.close();
  }
}

function parseWatermark(text: string): number {
  try {
    return parseInstant(text);
  } catch (cause) {
    throw new SyntaxError(
      `Cannot read --watermark "${text}": it is not an instant, expected one such as 2026-03-01T00:00:00Z`,
      { cause },
    );
  }
}

function parseCut(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new SyntaxError(`Cannot read --rollback "${text}": it is not a cut, expected a number`);
}

function summaryText({ views }: Repository, summary: CompactionSummary): string {
  const hasHistory = (views.get(summary.view)?.history ?? null) !== null;
  const watermark = hasHistory ? `, watermark ${formatInstant(summary.watermarkMs)}` : "";
  const vanished = summary.vanishedKeys === 0 ? "" : `, ${count(summary.vanishedKeys)} vanished`;
  const resumed = summary.resumed ? ", resumed" : "";
  return `${summary.view}: ${count(summary.rows)} rows, ${count(summary.keys)} keys${vanished}, ${bytesText(summary.bytes)}, cut ${summary.cut}${watermark}${resumed}`;
}

const retryMs = 30_000;

/**
 * Runs each view when its cadence says; a run that fails is tried again, and said.
 *
 * @throws an error that would come back each time.
 */
async function watch(repository: Repository, options: CompactOptions): Promise<void> {
  const stopped = untilStopped();
  const names = options.view ?? [...repository.views.keys()];
  const dueAt = new Map(names.map((name) => [name, 0]));
  for (;;) {
    const due = names.filter((name) => (dueAt.get(name) ?? 0) <= Date.now());
    if (due.length > 0) {
      const succeeded = await tryOnce(repository, options, due);
      for (const name of due) {
        const everyMs = repository.views.get(name)?.compactionEveryMs ?? retryMs;
        dueAt.set(name, Date.now() + (succeeded ? everyMs : retryMs));
      }
    }
    const nextAt = Math.min(...dueAt.values());
    const waiting = wait(Math.max(0, nextAt - Date.now()));
    if ((await Promise.race([stopped.then(() => "stopped"), waiting.done])) === "stopped") {
      waiting.cancel();
      return;
    }
  }
}

async function tryOnce(
  repository: Repository,
  options: CompactOptions,
  views: readonly string[],
): Promise<boolean> {
  try {
    await runOnce(repository, options, views);
    return true;
  } catch (error) {
    const fenced = error instanceof FeatureError && error.code === "FENCED";
    if (error instanceof FeatureError && !error.retryable && !fenced) throw error;
    const text = errorText(error);
    console.error(
      fenced ? `Another compaction has taken over: ${text}` : `Compaction failed: ${text}`,
    );
    return false;
  }
}

function wait(ms: number): { readonly done: Promise<"due">; cancel(): void } {
  let timer: NodeJS.Timeout;
  const done = new Promise<"due">((resolve) => {
    // Timers hold at most 2^31 - 1 milliseconds; the loop asks again.
    timer = setTimeout(
      () => {
        resolve("due");
      },
      Math.min(ms, 2 ** 31 - 1),
    );
  });
  return {
    done,
    cancel: () => {
      clearTimeout(timer);
    },
  };
}
