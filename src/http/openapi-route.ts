/** `GET /openapi.json` and `GET /docs`: the API told to machines and to people, where a host has it. */

import { Hono } from "hono";
import type { Context } from "hono";
import { mayDo } from "../access/principal.ts";
import type { ApiSubject, OpenApiDocument } from "./openapi/describe-api.ts";
import type { DocumentPage } from "./openapi/render-page.ts";
import type { HttpEnv } from "./request-clock.ts";
import type { WorkspacesParts } from "./workspace.ts";

/** What `tilemark/openapi` is to the app, which is given a function that loads it. */
export interface ApiDescriber {
  readonly describeApi: (subject: ApiSubject) => OpenApiDocument;
  readonly renderPage: (document: OpenApiDocument, origin: string) => Promise<DocumentPage>;
}

export interface OpenApiParts {
  /** Loads what describes the API, called when it is asked for; left out, there are no such routes. */
  readonly openApi?: () => Promise<ApiDescriber>;
}

export interface OpenApiRouteParts extends OpenApiParts, WorkspacesParts {
  readonly access: unknown;
}

/** Tells of the services that who asks may read, and of no others. */
export function openApiRoute(parts: OpenApiRouteParts): Hono<HttpEnv> {
  const { openApi } = parts;
  const app = new Hono<HttpEnv>();
  if (openApi === undefined) return app;
  return app
    .get("/openapi.json", async (c) => {
      const { describeApi } = await openApi();
      return c.json(describeApi(subjectOf(c, parts)) as object);
    })
    .get("/docs", async (c) => {
      const { describeApi, renderPage } = await openApi();
      const { html, securityPolicy } = await renderPage(
        describeApi(subjectOf(c, parts)),
        new URL(c.req.url).origin,
      );
      return c.html(html, 200, { "content-security-policy": securityPolicy });
    });
}

function subjectOf(
  c: Context<HttpEnv>,
  { access, workspaces }: Pick<OpenApiRouteParts, "access" | "workspaces">,
): ApiSubject {
  const services = [...workspaces.values()].flatMap(({ name: workspace, repository }) =>
    [...repository.services.values()]
      .filter(({ name }) => mayDo(c.var.principal, { scope: "read", workspace, service: name }))
      .map((service) => ({ workspace, service })),
  );
  return { services, secured: access !== "loopback" };
}
