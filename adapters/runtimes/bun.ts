/** A server in Bun, with Bun's own SQLite. */

import { mkdirSync } from "node:fs";
import { openBunSqlite } from "../stores/bun-sqlite-handle.ts";
import { createServer } from "./server/create-server.ts";
import { listenAddress, urlOf } from "./server/listen-address.ts";
import type { RunningServer, ServerOptions } from "./server/create-server.ts";

/** What is used of Bun. */
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch: (request: Request) => Response | Promise<Response>;
  }): { readonly port: number; stop(): Promise<void> };
};

/**
 * Serves a feature repository, on 127.0.0.1 if nothing else is said; resolves when it answers.
 *
 * @example
 * import * as features from "./features.ts";
 * const server = await serveBun(features, { directory: "state", port: 8787 });
 */
export async function serveBun(
  definitions: Readonly<Record<string, unknown>>,
  options: ServerOptions,
): Promise<RunningServer> {
  if (options.directory !== ":memory:") mkdirSync(options.directory, { recursive: true });
  const server = await createServer(definitions, options, openBunSqlite);
  const fetch = (request: Request) => server.app.fetch(request);
  const address = listenAddress(options);
  const listener = Bun.serve({ hostname: address.host, port: address.port, fetch });
  return {
    url: urlOf(address.host, listener.port),
    close: async () => {
      await listener.stop();
      await server.stop();
    },
  };
}
