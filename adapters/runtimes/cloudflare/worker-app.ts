/** The app of a worker: what its bindings say of the clock, of access and of logs. */

import { waitUntil } from "cloudflare:workers";
import type { Hono } from "hono";
import type { TokenVerifier } from "../../../src/access/token-verifier.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { createApp } from "../../../src/http/app.ts";
import type { AppParts } from "../../../src/http/app.ts";
import { workspaceDefault } from "../../../src/http/workspace.ts";
import type { Workspace } from "../../../src/http/workspace.ts";
import type { Tracing } from "../../../src/observe/tracing.ts";
import { hostClock } from "../../host-clock.ts";
import { watchHost } from "../observe-host.ts";
import type { HostWatch } from "../observe-host.ts";
import { readWorkerAccess } from "./worker-access.ts";
import type { AccessVariables } from "./worker-access.ts";

/** Variables that any worker may have. */
export interface WorkerVariables extends AccessVariables {
  /** The name that requests know it by; "prod" if left out. */
  readonly TILEMARK_WORKSPACE?: string;
  /** The share of requests that get a log line, from 0 to 1; 0 if left out. Failures get one always. */
  readonly TILEMARK_REQUEST_LOG_SHARE?: string;
  /** "1": the text of errors is printed too, which may hold keys and values. For development. */
  readonly TILEMARK_ERROR_TEXT?: string;
  /** "1" in tests: requests may carry their own `now`. */
  readonly TILEMARK_TEST_CLOCK?: string;
  /** Milliseconds added to the clock: to serve windows over old events. */
  readonly TILEMARK_CLOCK_OFFSET_MS?: string;
}

/**
 * What of these is left out has no byte in the worker's bundle:
 * `arrow: () => import("tilemark/arrow")` answers as Arrow streams, and
 * `openApi: () => import("tilemark/openapi")` answers `GET /openapi.json` and `GET /docs`.
 */
export type LazyParts = Pick<AppParts, "arrow" | "openApi">;

export interface WorkerAppOptions<Variables> extends LazyParts {
  /**
   * What verifies tokens of an identity provider, once an isolate, by `verifyTokens` of
   * `tilemark/tokens`. Asked where `TILEMARK_ACCESS` is "keys".
   */
  readonly openTokens?: (env: Variables) => TokenVerifier;
  /**
   * Makes spans of requests, as `openTelemetryTracing` of `tilemark/tracing` does. What exports them
   * has to do so before the host ends the request.
   */
  readonly tracing?: Tracing;
}

/** What a worker serves, and whether it takes events. */
export interface WorkerServes extends Pick<AppParts, "homeRoutes"> {
  readonly workspaceOf: (host: {
    readonly clock: Clock;
    readonly watch: HostWatch;
  }) => Omit<Workspace, "name">;
}

export function createWorkerApp<Variables extends WorkerVariables>(
  env: Variables,
  { workspaceOf, ...homeRoutes }: WorkerServes,
  { openTokens, tracing, ...lazyParts }: WorkerAppOptions<Variables>,
): Hono {
  const clock = hostClock(Number(env.TILEMARK_CLOCK_OFFSET_MS ?? 0));
  const watch = watchHost(clock, {
    requestLogShare: Number(env.TILEMARK_REQUEST_LOG_SHARE ?? 0),
    ...(tracing !== undefined && { tracing }),
    ...(env.TILEMARK_ERROR_TEXT === "1" && { onError: printError }),
  });
  const name = env.TILEMARK_WORKSPACE ?? workspaceDefault;
  return createApp({
    ...lazyParts,
    ...homeRoutes,
    workspaces: [{ name, ...workspaceOf({ clock, watch }) }],
    clock,
    random: Math.random,
    testClock: env.TILEMARK_TEST_CLOCK === "1",
    access: readWorkerAccess(env, { tokens: openTokens?.(env), background: waitUntil }),
    report: watch.report,
    observe: watch.observe,
  });
}

function printError(error: unknown, { route }: { readonly route: string }): void {
  console.error(`${route}: ${String(error)}`);
}
