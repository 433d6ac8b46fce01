/** An HTTP server before another one, that keeps what went through it, and can break it. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ProxyAnswer {
  readonly status: number;
  readonly body: string;
}

export interface ProxyOptions {
  /** Before the request goes on. */
  readonly alterRequest?: (request: RecordedRequest) => string;
  /** After the server's answer, before it goes back. */
  readonly alterAnswer?: (request: RecordedRequest, answer: ProxyAnswer) => ProxyAnswer;
  /** Whether the connection is closed once the server has answered, its answer lost. */
  readonly dropsAnswer?: (request: RecordedRequest) => boolean;
  /** Waited for before the request goes on. */
  readonly hold?: (request: RecordedRequest) => Promise<void>;
}

export interface RecordingProxy {
  /** Without a slash at its end. */
  readonly url: string;
  readonly requests: RecordedRequest[];
  close(): Promise<void>;
}

export async function startRecordingProxy(
  target: string,
  options: ProxyOptions = {},
): Promise<RecordingProxy> {
  const requests: RecordedRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    forward(incoming)
      .then(({ status, body, headers }) => {
        const contentType = headers.get("content-type") ?? "text/plain";
        const syncToken = headers.get("upstash-sync-token");
        outgoing.writeHead(status, {
          "content-type": contentType,
          ...(syncToken === null ? {} : { "upstash-sync-token": syncToken }),
        });
        outgoing.end(body);
      })
      .catch(() => incoming.socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };

  async function forward(
    incoming: IncomingMessage,
  ): Promise<ProxyAnswer & { readonly headers: Headers }> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "", url: path = "", headers } = incoming;
    const request = { method, path, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    await options.hold?.(request);
    const response = await fetch(target + path, {
      method,
      headers: forwardedHeaders(headers),
      body: options.alterRequest?.(request) ?? request.body,
    });
    const answer = { status: response.status, body: await response.text() };
    if (options.dropsAnswer?.(request) === true) throw new Error("The answer is lost on purpose");
    return { ...(options.alterAnswer?.(request, answer) ?? answer), headers: response.headers };
  }
}

function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const own = new Set(["host", "connection", "content-length", "transfer-encoding", "keep-alive"]);
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      typeof value === "string" && !own.has(name) ? [[name, value]] : [],
    ),
  );
}
