/** The API as an OpenAPI document and as a page: an entry of its own, which serving does without. */

export { describeApi } from "./describe-api.ts";
export type { ApiSubject, OpenApiDocument } from "./describe-api.ts";
export { renderPage } from "./render-page.ts";
export type { DocumentPage } from "./render-page.ts";
