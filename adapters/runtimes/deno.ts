/** A server in Deno, which has Node's SQLite. */

import { mkdirSync } from "node:fs";
import { openNodeSqlite } from "../stores/node-sqlite-handle.ts";
import { createServer } from "./server/create-server.ts";
import type { RunningServer, ServerOptions } from "./server/create-server.ts";

/** What is used of Deno. */
declare const Deno: {
  serve(
    options: { hostname: string; port: number; onListen: () => void },
    handler: (request: Request) => Response | Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
};

/**
 * Serves a feature repository on 127.0.0.1; resolves when it answers.
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
  const listen = { hostname: "127.0.0.1", port: options.port ?? 0, onListen: () => undefined };
  const listener = Deno.serve(listen, (request) => server.app.fetch(request));
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    close: async () => {
      await listener.shutdown();
      await server.stop();
    },
  };
}
