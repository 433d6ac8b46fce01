/** A bounded load over HTTP: so many requests, so many at a time, on kept-alive connections. */

import { Agent, request } from "node:http";

export interface LoadTarget {
  readonly url: string;
  readonly body: string;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  /** Milliseconds of each request, sorted. */
  readonly latenciesMs: readonly number[];
  readonly lastBody: string;
}

/** @throws when an answer is not a 200. */
export async function runLoad(
  target: LoadTarget,
  { requestCount, concurrency }: { readonly requestCount: number; readonly concurrency: number },
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const latenciesMs: number[] = [];
  let lastBody = "";
  let sent = 0;
  const worker = async () => {
    while (sent < requestCount) {
      sent += 1;
      const startedAt = performance.now();
      lastBody = await post(target, agent);
      latenciesMs.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - startedAt) / 1000;
  agent.destroy();
  latenciesMs.sort((a, b) => a - b);
  return { requestsPerSecond: requestCount / seconds, latenciesMs, lastBody };
}

function post({ url, body }: LoadTarget, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    };
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`Cannot load ${url}: it answered ${response.statusCode} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
