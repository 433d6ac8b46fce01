/** `tilemark audit`: the log of who changed what, and whether it is whole. */

import { Command } from "commander";
import { emptyAudit, verifyAudit } from "../../../src/access/audit-log.ts";
import type { AuditEntry, AuditHead, AuditPage } from "../../../src/access/audit-log.ts";
import { formatInstant } from "../../../src/core/instant.ts";
import { addApiKeyOption } from "../api-key.ts";
import { callAdminRoute } from "../call-admin-route.ts";
import type { AdminCallOptions } from "../call-admin-route.ts";

interface VerifyOptions extends AdminCallOptions {
  readonly head?: string;
}

export function addAuditCommand(program: Command): void {
  const list = new Command("list")
    .description("print the audit log, an entry a line")
    .action(async (options: AdminCallOptions) => {
      for await (const { entries } of pages(options)) {
        for (const entry of entries) console.log(entryLine(entry));
      }
    });
  const verify = new Command("verify")
    .description("check that no entry of the audit log is missing, changed or moved")
    .option("--head <head>", "what an earlier check printed: shows whether the end was cut off")
    .action(async (options: VerifyOptions) => {
      const head = await verifyLog(options, readHead(options.head));
      console.log(`The audit log is whole, ${head.seq} entries`);
      console.log(`head ${head.seq}:${head.hash}`);
    });
  program
    .command("audit")
    .description("read and verify the audit log of a running server")
    .addCommand(addServerOptions(list))
    .addCommand(addServerOptions(verify));
}

function addServerOptions(command: Command): Command {
  return addApiKeyOption(command)
    .requiredOption("--url <url>", "the running server")
    .option("--workspace <name>", "the workspace; the only one if left out");
}

/** @throws an error that names the first entry that is not as it was written. */
async function verifyLog(
  options: AdminCallOptions,
  remembered: AuditHead | null,
): Promise<AuditHead> {
  let head = emptyAudit;
  let claimed = emptyAudit;
  let isMet = remembered === null || remembered.seq === 0;
  for await (const page of pages(options)) {
    for (const entry of page.entries) {
      const verdict = await verifyAudit(head, [entry]);
      if (verdict.kind === "broken") {
        throw new Error(`The audit log is broken at entry ${verdict.seq}: ${verdict.reason}`);
      }
      ({ head } = verdict);
      isMet ||= head.seq === remembered?.seq && head.hash === remembered.hash;
    }
    claimed = page.head;
  }
  if (claimed.seq !== head.seq || claimed.hash !== head.hash) {
    throw new Error(
      `The audit log is broken at entry ${head.seq + 1}: it ends there, and its head is entry ${claimed.seq}`,
    );
  }
  if (!isMet) {
    throw new Error(
      `The audit log is broken: it does not lead through the head of entry ${remembered?.seq} that was given`,
    );
  }
  return head;
}

/** To the first page without entries, which may be the first. */
async function* pages(options: AdminCallOptions): AsyncGenerator<AuditPage> {
  let after = 0;
  for (;;) {
    const page = await callAdminRoute<AuditPage>(options, `audit?after=${after}`);
    yield page;
    const last = page.entries.at(-1);
    if (last === undefined) return;
    after = last.seq;
  }
}

function readHead(text: string | undefined): AuditHead | null {
  if (text === undefined) return null;
  const [, seq, hash] = /^(\d+):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq !== undefined && hash !== undefined) return { seq: Number(seq), hash };
  throw new SyntaxError(`Cannot read --head "${text}": expected one as "audit verify" prints it`);
}

function entryLine({ seq, atMs, actor, action, object, result }: AuditEntry): string {
  return `${seq}  ${formatInstant(atMs)}  ${actor}  ${action}  ${object}  ${result}`;
}
