/** A server in Deno, which has Node's SQLite. */

import { mkdirSync } from "node:fs";
import { openNodeSqlite } from "../stores/node-sqlite-handle.ts";
import { createServer } from "./server/create-server.ts";
import { listenAddress, urlOf } from "./server/listen-address.ts";
import type { RunningServer, ServerOptions } from "./server/create-server.ts";

/** What is used of Deno. */
declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen: () => void },
    handler: (request: Request) => Response | Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
};

/**
 * Serves a feature repository, on 127.0.0.1 if nothing else is said; resolves when it answers.
 *
 * @example
 * import * as features from "./features.ts";
 * const server = await serveDeno(features, { directory: "state", port: 8787 });
 */
export async function serveDeno(
  definitions: Readonly<Record<string, unknown>>,
  options: ServerOptions,
): Promise<RunningServer> {
  if (options.directory !== ":memory:") mkdirSync(options.directory, { recursive: true });
  const server = await createServer(definitions, options, openNodeSqlite);
  const address = listenAddress(options);
  const listen = { hostname: address.host, port: address.port, onListen: () => undefined };
  const listener = Deno.serve(listen, (request) => server.app.fetch(request));
  return {
    url: urlOf(address.host, listener.addr.port),
    close: async () => {
      await listener.shutdown();
      await server.stop();
    },
  };
}
