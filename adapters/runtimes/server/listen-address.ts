/** Where a server listens, and whether it may: other machines reach it only where it knows who asks. */

import type { ServerOptions } from "./create-server.ts";

export interface ListenAddress {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
}

const loopbackPattern = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1)$/;

/** @throws TypeError for an address that others reach, without access by keys or tokens. */
export function listenAddress({
  host = "127.0.0.1",
  port = 0,
  access = "loopback",
}: Pick<ServerOptions, "host" | "port" | "access">): ListenAddress {
  if (access !== "loopback" || loopbackPattern.test(host)) return { host, port };
  throw new TypeError(
    `Cannot listen on "${host}": other machines reach it and access is by loopback, give keys in "access" or listen on 127.0.0.1`,
  );
}

/** Of a server that listens, as this machine reaches it. */
export function urlOf(host: string, port: number): string {
  if (host === "0.0.0.0" || host === "::") return `http://127.0.0.1:${port}`;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
