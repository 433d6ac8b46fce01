#!/usr/bin/env node
/** The tilemark command. */

import { Command } from "commander";
import { addAuditCommand } from "./commands/audit.ts";
import { addBackfillCommand } from "./commands/backfill.ts";
import { addCompactCommand } from "./commands/compact.ts";
import { addDeleteCommand } from "./commands/delete.ts";
import { addDemoCommand } from "./commands/demo.ts";
import { addDevCommand } from "./commands/dev.ts";
import { addExplainCommand } from "./commands/explain.ts";
import { addGetCommand } from "./commands/get.ts";
import { addHealCommand } from "./commands/heal.ts";
import { addIngestCommand } from "./commands/ingest.ts";
import { addKeyCommand } from "./commands/key.ts";
import { addOpenApiCommand } from "./commands/openapi.ts";
import { errorText } from "./error-text.ts";

const program = new Command("tilemark")
  .description("Online feature serving at the edge: define, ingest, compact, serve")
  .showHelpAfterError();

addDevCommand(program);
addIngestCommand(program);
addBackfillCommand(program);
addCompactCommand(program);
addHealCommand(program);
addDeleteCommand(program);
addGetCommand(program);
addExplainCommand(program);
addOpenApiCommand(program);
addKeyCommand(program);
addAuditCommand(program);
addDemoCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  console.error(errorText(error));
  process.exitCode = 1;
}
