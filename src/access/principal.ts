/** Who asks, and what they may do. Nothing is allowed that no grant allows. */

/** What a request does. Each route asks for one. */
export type Scope = "read" | "explain" | "ingest" | "metrics" | "admin";

export interface Grant {
  readonly workspace: string;
  readonly scopes: readonly Scope[];
  /** Names of services that `read` and `explain` are for; "all" for every one of the workspace. */
  readonly services: readonly string[] | "all";
}

export interface Principal {
  /** Names it in logs: the id of a key, or the subject of a token. Never a secret. */
  readonly id: string;
  readonly grants: readonly Grant[] | "all";
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
