/** Options by the wrong name: `acess` would leave a server open that was meant to be closed. */

import type { ServerOptions } from "./create-server.ts";

const known: Readonly<Record<keyof ServerOptions, true>> = {
  directory: true,
  store: true,
  replica: true,
  streamStore: true,
  home: true,
  homeKey: true,
  logShardCount: true,
  logRetentionMs: true,
  workspace: true,
  access: true,
  port: true,
  host: true,
  testClock: true,
  clockOffsetMs: true,
  requestLogShare: true,
  tracing: true,
  onError: true,
};

/** @throws TypeError that names the option. */
export function refuseUnknownOptions(options: ServerOptions): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  throw new TypeError(
    `Cannot start: there is no option "${unknown}", expected one of ${Object.keys(known).join(", ")}`,
  );
}
