/** Who asks, and what they may do. Nothing is allowed that no grant allows. */

/**
 * What a request does. Each route asks for one: `read` features, `explain` them, `ingest` events, read
 * `metrics`, `follow` a home as a region does, and `admin` for compactions, deletions and keys.
 */
export type Scope = (typeof scopes)[number];

export const scopes = ["read", "explain", "ingest", "metrics", "follow", "admin"] as const;

export interface Grant {
  readonly workspace: string;
  readonly scopes: readonly Scope[];
  /** Names of services that `read` and `explain` are for; "all" for every one of the workspace. */
  readonly services: readonly string[] | "all";
}

/** Requests that a principal may make: so many per second, and so many at once. */
export interface RateLimit {
  readonly requestsPerSecond: number;
  readonly burst: number;
}

export interface Principal {
  /** Names it in logs: the id of a key, or the subject of a token. Never a secret. */
  readonly id: string;
  readonly grants: readonly Grant[] | "all";
  /** Left out: as many as the server answers. */
  readonly rateLimit?: RateLimit;
}

/** What someone asks to do. */
export interface Action {
  readonly scope: Scope;
  readonly workspace: string;
  /** Null where it is not about one service. */
  readonly service: string | null;
}

/** Someone at this machine, where that is what gives access. */
export const localPrincipal: Principal = { id: "local", grants: "all" };

/** Someone who showed no credentials, where none are asked for. */
export const anonymousPrincipal: Principal = { id: "anonymous", grants: [] };

export function mayDo({ grants }: Principal, action: Action): boolean {
  return grants === "all" || grants.some((grant) => allows(grant, action));
}

function allows(grant: Grant, { scope, workspace, service }: Action): boolean {
  return (
    grant.workspace === workspace &&
    grant.scopes.includes(scope) &&
    (service === null || grant.services === "all" || grant.services.includes(service))
  );
}
