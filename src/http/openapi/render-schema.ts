/** A JSON Schema as a nested list, one line a property. */

import { html } from "./html.ts";
import type { Html } from "./html.ts";
import type { JsonSchema } from "./json-schema.ts";

/** What it is, and what it holds. */
export function renderSchema(schema: JsonSchema): Html {
  return html`${renderType(schema)}${renderParts(schema)}`;
}

/** In one line: `string or null`. */
export function renderType(schema: JsonSchema): Html {
  const { $ref, description } = schema;
  const note =
    typeof description === "string" ? html` <span class="dim">${description}</span>` : [];
  if (typeof $ref === "string") {
    const name = $ref.split("/").at(-1) as string;
    return html`<a href="#schema-${name}">${name}</a>${note}`;
  }
  return html`<span class="dim">${typeText(schema)}</span>${note}`;
}

function typeText({ type, anyOf, enum: values, const: constant, items }: JsonSchema): string {
  if (Array.isArray(anyOf)) return (anyOf as readonly JsonSchema[]).map(nameOf).join(" or ");
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(" or ");
  if (constant !== undefined) return JSON.stringify(constant);
  const names = (Array.isArray(type) ? type : [type ?? "anything"]) as readonly string[];
  const shown = names.map((name) =>
    name === "array" && items !== undefined ? `array of ${nameOf(items as JsonSchema)}` : name,
  );
  return shown.join(" or ");
}

function nameOf(schema: JsonSchema): string {
  const { $ref } = schema;
  return typeof $ref === "string" ? ($ref.split("/").at(-1) as string) : typeText(schema);
}

function renderParts(schema: JsonSchema): Html | readonly Html[] {
  const { properties = {}, required = [], prefixItems = [], items, additionalProperties } = schema;
  const needed = required as readonly string[];
  const lines = [
    ...Object.entries(properties as Readonly<Record<string, JsonSchema>>).map(([name, each]) => {
      const mark = needed.includes(name) ? html` <strong>required</strong>` : [];
      return html`<li><code>${name}</code>${mark} ${renderSchema(each)}</li>`;
    }),
    ...(prefixItems as readonly JsonSchema[]).map(
      (each) => html`<li><code>${String(each["title"])}</code> ${renderSchema(each)}</li>`,
    ),
  ];
  const inner = [items, additionalProperties]
    .filter((each): each is JsonSchema => typeof each === "object" && each !== null)
    .map(renderParts)
    .flat();
  if (lines.length === 0) return inner;
  return [
    html`<ul>
      ${lines}
    </ul>`,
    ...inner,
  ];
}
