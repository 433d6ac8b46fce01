/** A region as a process of its own: `region-process.ts DIRECTORY [HOME]`. It prints its address. */

import { serveNode } from "../../adapters/runtimes/node.ts";
import * as features from "./features.ts";

const [directory = "", home] = process.argv.slice(2);
const server = await serveNode(features, {
  directory,
  ...(home !== undefined && { home }),
  logRetentionMs: 3_600_000,
});
console.log(`Listening on ${server.url}`);
process.once("disconnect", () => process.exit());
