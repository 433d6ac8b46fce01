/** A server in Node. */

import { once } from "node:events";
import { mkdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { createAdaptorServer } from "@hono/node-server";
import { openNodeSqlite } from "../stores/node-sqlite-handle.ts";
import { createServer } from "./server/create-server.ts";
import { listenAddress, urlOf } from "./server/listen-address.ts";
import type { RunningServer, ServerOptions } from "./server/create-server.ts";

/**
 * Serves a feature repository, on 127.0.0.1 if nothing else is said; resolves when it answers.
 *
 * @example
 * import * as features from "./features.ts";
 * const server = await serveNode(features, { directory: "state", port: 8787 });
 */
export async function serveNode(
  definitions: Readonly<Record<string, unknown>>,
  options: ServerOptions,
): Promise<RunningServer> {
  if (options.directory !== ":memory:") mkdirSync(options.directory, { recursive: true });
  const server = await createServer(definitions, options, openNodeSqlite);
  const listener = createAdaptorServer({ fetch: server.app.fetch });
  const address = listenAddress(options);
  listener.listen(address.port, address.host);
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  const close = promisify(listener.close.bind(listener));
  return {
    url: urlOf(address.host, port),
    close: async () => {
      await close();
      await server.stop();
    },
  };
}
