/** The suite's server in Node, Deno or Bun. Its argument is a `ServerRequest`; SIGTERM ends it. */

import process from "node:process";
import type { RunningServer, ServerOptions } from "../../adapters/runtimes/server/create-server.ts";
import * as features from "./features.ts";
import { openStore } from "./open-store.ts";
import type { ServerRequest } from "./start-server.ts";

type Serve = (definitions: typeof features, options: ServerOptions) => Promise<RunningServer>;

const { store: name, address, ...options } = JSON.parse(process.argv[2] ?? "") as ServerRequest;
const serve = await serveOf(process.versions);
const store = await openStore(name, address);
const server = await serve(features, { ...options, ...(store !== null && { store }) });
process.once("SIGTERM", () => {
  // Connections to stores would keep the process.
  void server.close().then(() => process.exit(0));
});
process.stdout.write(`Listening on ${server.url}\n`);

async function serveOf(versions: Readonly<Record<string, string | undefined>>): Promise<Serve> {
  if (versions["deno"] !== undefined) {
    return (await import("../../adapters/runtimes/deno.ts")).serveDeno;
  }
  if (versions["bun"] !== undefined) {
    return (await import("../../adapters/runtimes/bun.ts")).serveBun;
  }
  return (await import("../../adapters/runtimes/node.ts")).serveNode;
}
