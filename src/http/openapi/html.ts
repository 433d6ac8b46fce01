/** Text into HTML, with everything that is put in escaped. */

/** HTML that needs no escaping any more. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type HtmlPart = string | Html | readonly Html[];

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** @example html`<p title="${name}">${paragraphs}</p>` */
export function html(texts: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(texts.map((text, i) => text + textOf(parts[i] ?? "")).join(""));
}

function textOf(part: HtmlPart): string {
  if (typeof part === "string") return part.replace(/[&<>"']/g, (each) => escapes[each] as string);
  return part instanceof Html ? part.text : part.map(textOf).join("");
}
