/** The document as a page to read: complete as it is sent, without scripts and without other requests. */

import { encodeBase64 } from "../../core/base64.ts";
import type { Json } from "../encode-value.ts";
import type { OpenApiDocument } from "./describe-api.ts";
import { Html, html } from "./html.ts";
import type { JsonSchema } from "./json-schema.ts";
import { pageStyle } from "./page-style.ts";
import { renderSchema, renderType } from "./render-schema.ts";

export interface DocumentPage {
  readonly html: string;
  /** For the header `content-security-policy`. */
  readonly securityPolicy: string;
}

/** @param origin - Of the server, for commands to copy: `http://127.0.0.1:8787`. */
export async function renderPage(document: OpenApiDocument, origin: string): Promise<DocumentPage> {
  const { info, paths, components, ...more } = document as unknown as DocumentParts;
  const services = more["x-tilemark-services"];
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const secured = components.securitySchemes !== undefined;
  const page = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>${info.title}: ${info.summary}</title>
      ${new Html(`<style>${pageStyle}</style>`)}
      <h1>${info.title}</h1>
      <p>
        ${info.summary}. ${info.description} The same for machines:
        <a href="/openapi.json">openapi.json</a>.
      </p>
      <nav>
        <ul>
          ${operations.map(renderLink)}
        </ul>
      </nav>
      ${
        secured && services.length === 0
          ? html`<p>Services are told to those who may read them: send a key with the request.</p>`
          : []
      }
      <h2>Routes</h2>
      ${operations.map((each) => renderOperation(each, { origin, secured }))}
      <h2>Schemas</h2>
      ${Object.entries(components.schemas).map(
        ([name, schema]) =>
          html`<h3 id="schema-${name}"><code>${name}</code></h3>
            ${renderSchema(schema)}`,
      )}
    </html> `;
  return { html: page.text, securityPolicy: await policyOf(pageStyle) };
}

/** What of a document the page tells. */
interface DocumentParts {
  readonly info: Readonly<Record<"title" | "summary" | "description", string>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationParts>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes?: Json;
  };
  readonly "x-tilemark-services": readonly Json[];
}

interface OperationParts {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly ParameterParts[];
  readonly requestBody?: { readonly content: ContentParts };
  readonly responses: Readonly<Record<string, ResponseParts>>;
  readonly security?: Json;
  readonly "x-tilemark-scope"?: string;
}

interface ParameterParts {
  readonly name: string;
  readonly in: string;
  readonly description: string;
  readonly schema: JsonSchema;
}

interface ResponseParts {
  readonly description: string;
  readonly content?: ContentParts;
}

type ContentParts = Readonly<
  Record<
    string,
    {
      readonly schema: JsonSchema;
      readonly examples?: Readonly<Record<string, { readonly value: Json }>>;
    }
  >
>;

interface PlacedOperation {
  readonly path: string;
  readonly method: string;
  readonly operation: OperationParts;
}

interface CommandOptions {
  readonly origin: string;
  readonly secured: boolean;
}

function renderLink({ path, method, operation }: PlacedOperation): Html {
  return html`<li>
    <a href="#${operation.operationId}"><code>${method.toUpperCase()} ${path}</code></a>
  </li>`;
}

function renderOperation(placed: PlacedOperation, options: CommandOptions): Html {
  const { path, method, operation } = placed;
  const { parameters = [], requestBody, responses, security } = operation;
  const scope = operation["x-tilemark-scope"];
  const needs = security === undefined ? [] : html`<p>Needs scope <code>${scope ?? ""}</code>.</p>`;
  return html`<h3 id="${operation.operationId}">
      <code><span class="method">${method.toUpperCase()}</span> ${path}</code>
    </h3>
    <p>${operation.summary}. ${operation.description ?? ""}</p>
    ${needs}
    ${
      parameters.length === 0
        ? []
        : html`<h4>Parameters</h4>
            <table>
              ${parameters.map(renderParameter)}
            </table>`
    }
    ${
      requestBody === undefined
        ? []
        : html`<h4>Body</h4>
            ${renderContent(requestBody.content)}`
    }
    <h4>Answers</h4>
    <table>
      ${Object.entries(responses).map(renderResponse)}
    </table>
    ${renderCommands(placed, options)} `;
}

function renderParameter({ name, in: place, description, schema }: ParameterParts): Html {
  return html`<tr>
    <td><code>${name}</code></td>
    <td class="dim">${place}</td>
    <td>${renderType(schema)} ${description}</td>
  </tr>`;
}

function renderResponse([status, { description, content = {} }]: [string, ResponseParts]): Html {
  return html`<tr>
    <td>${status}</td>
    <td>${description} ${renderContent(content)}</td>
  </tr>`;
}

function renderContent(content: ContentParts): readonly Html[] {
  return Object.entries(content).map(
    ([type, { schema }]) => html`<div><code>${type}</code> ${renderSchema(schema)}</div>`,
  );
}

function renderCommands(placed: PlacedOperation, options: CommandOptions): readonly Html[] {
  const { examples = {} } = Object.values(placed.operation.requestBody?.content ?? {})[0] ?? {};
  const written = Object.entries(examples);
  if (written.length === 0 && placed.operation.requestBody !== undefined) return [];
  const commands =
    written.length === 0
      ? [["As a command", null] as const]
      : written.map(([name, { value }]) => [`As a command: ${name}`, value] as const);
  return commands.map(
    ([title, body]) =>
      html`<details>
        <summary>${title}</summary>
        <pre>${commandOf(placed, body, options)}</pre>
      </details>`,
  );
}

function commandOf(
  { path, method, operation }: PlacedOperation,
  body: Json,
  { origin, secured }: CommandOptions,
): string {
  const lines = [
    `curl ${quoted(origin + path)}`,
    ...(method === "get" ? [] : [`-X ${method.toUpperCase()}`]),
    ...(secured && operation.security !== undefined
      ? ['-H "Authorization: Tecton-key $TILEMARK_API_KEY"']
      : []),
    ...(body === null ? [] : [`-d ${quoted(JSON.stringify(body, null, 2))}`]),
  ];
  return lines.join(" \\\n  ");
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The page may show its own style, and nothing else. */
async function policyOf(style: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
  const source = `'sha256-${encodeBase64(new Uint8Array(hash))}'`;
  return `default-src 'none'; style-src ${source}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
