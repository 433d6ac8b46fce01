/** Sends seeded, mutated requests to an app over real parts in this process, and judges the answers. */

import type { Repository } from "../../src/define/definition.ts";
import { buildTestApp, testOrigin } from "../../test/builders/app.ts";
import type { TestApp } from "../../test/builders/app.ts";
import { randomFrom } from "../../test/builders/random.ts";
import { judgeAnswer } from "./judge-answer.ts";
import { mutateRequest } from "./mutate-request.ts";
import type { FuzzRequest } from "./mutate-request.ts";
import { validRequests } from "./valid-requests.ts";

export interface FuzzOptions {
  readonly repository: Repository;
  readonly seed: number;
  /** The first request's number: with a count of one, a single request again. */
  readonly from?: number;
  readonly count: number;
}

export interface FuzzFault {
  readonly number: number;
  readonly what: string;
}

export interface FuzzReport {
  readonly counts: ReadonlyMap<number, number>;
  readonly faults: readonly FuzzFault[];
  readonly longest: { readonly number: number; readonly cpuMs: number };
}

const nowMs = Date.parse("2024-01-10T12:00:00Z");
/** What is taken in stays: an app is used for so many requests. */
const requestsPerApp = 2_000;

export async function runFuzz({
  repository,
  seed,
  from = 0,
  count,
}: FuzzOptions): Promise<FuzzReport> {
  const counts = new Map<number, number>();
  const faults: FuzzFault[] = [];
  let longest = { number: from, cpuMs: 0 };
  let app = buildTestApp(repository, { nowMs });
  await warmUp(app);
  for (let number = from; number < from + count; number++) {
    if (number % requestsPerApp === 0) app = buildTestApp(repository, { nowMs });
    const request = requestAt(seed, number);
    const before = process.cpuUsage();
    const { status, what } = await send(app, request);
    const { user, system } = process.cpuUsage(before);
    const cpuMs = (user + system) / 1_000;
    if (cpuMs > longest.cpuMs) longest = { number, cpuMs };
    counts.set(status, (counts.get(status) ?? 0) + 1);
    if (what !== null) faults.push({ number, what });
  }
  return { counts, faults, longest };
}

/** What a process does once, as compiling, is no request's own. */
async function warmUp(app: TestApp): Promise<void> {
  for (const { method, path, body } of validRequests) {
    if (method === "GET") await app.get(path);
    else await app.post(path, body);
  }
}

/** The request of a number, whatever came before it. */
export function requestAt(seed: number, number: number): FuzzRequest {
  const random = randomFrom(Math.imul(seed, 1_000_003) + number);
  return mutateRequest(random.pick(validRequests), random);
}

async function send(
  app: TestApp,
  { kind, method, path, headers, body }: FuzzRequest,
): Promise<{ readonly status: number; readonly what: string | null }> {
  try {
    const sent = method === "GET" ? null : body;
    const url = testOrigin + path;
    const response = await app.app.request(url, { method, headers: { ...headers }, body: sent });
    const text = await response.text();
    return { status: response.status, what: judgeAnswer(kind, response.status, text) };
  } catch (error) {
    return { status: 0, what: `it was not answered: ${String(error)}` };
  }
}
