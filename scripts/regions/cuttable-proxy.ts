/** A TCP proxy that can be cut like a cable: what is sent goes nowhere, and nothing says so. */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

export interface CuttableProxy {
  readonly url: string;
  cut(): void;
  heal(): void;
  close(): void;
}

export async function startCuttableProxy(targetPort: number): Promise<CuttableProxy> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    sockets.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => sockets.delete(client));
    // A connection that is made while the cable is cut never hears anything.
    if (isCut) return void client.resume();
    const upstream = connect(targetPort, "127.0.0.1");
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    upstream.on("error", end).on("close", end);
    client.on("close", end);
    client.on("data", (chunk) => void (isCut || upstream.write(chunk)));
    upstream.on("data", (chunk) => void (isCut || client.write(chunk)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    cut: () => {
      isCut = true;
    },
    heal: () => {
      isCut = false;
      // Their streams lack what was sent meanwhile.
      for (const socket of sockets) socket.destroy();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
