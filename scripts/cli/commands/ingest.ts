/** `tilemark ingest`: sends files of events to a running server. */

import type { Command } from "commander";
import { readRows } from "../../../adapters/engines/duckdb/read-rows.ts";
import { accessHeaders, addApiKeyOption } from "../api-key.ts";
import type { ApiKeyOptions } from "../api-key.ts";
import { serverUrl } from "../call-server.ts";
import { acceptRows, emptyTally, sendRows } from "../ingest-rows.ts";
import { loadFeatures, sourceNamed } from "../load-features.ts";
import { ProgressLine } from "../progress.ts";
import { isInVain, tallyJson, tallyText } from "../tally-text.ts";

interface IngestOptions extends ApiKeyOptions {
  readonly features: string;
  readonly workspace: string;
  readonly json?: boolean;
}

export function addIngestCommand(program: Command): void {
  addApiKeyOption(program.command("ingest"))
    .description("send CSV, JSON lines or Parquet files of events to a running server")
    .argument("<source>", "name of the stream source")
    .argument("<files...>", "files, or folders of them")
    .requiredOption("--features <file>", "the module that exports the definitions")
    .requiredOption("--url <url>", "the running server")
    .option("--workspace <name>", "the workspace", "prod")
    .option("--json", "print one JSON object")
    .action(async (sourceName: string, files: string[], options: IngestOptions) => {
      const source = sourceNamed(await loadFeatures(options.features), sourceName);
      const url = serverUrl(options.url);
      const headers = accessHeaders({ ...options, url });
      const target = { url, workspace: options.workspace, headers, source };
      const tally = emptyTally();
      const line = new ProgressLine();
      for await (const rows of readRows(files)) {
        await sendRows(target, acceptRows(source, rows, tally), tally);
        line.show({ label: `${sourceName} ingest`, rows: tally.read, rowsTotal: 0 });
      }
      line.clear();
      console.log(options.json === true ? tallyJson(tally) : tallyText(tally));
      if (isInVain(tally)) process.exitCode = 1;
    });
}
