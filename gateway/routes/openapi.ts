/**
 * `GET /openapi.json` and `GET /docs`. Both are made at the first call and kept as texts: they are the same for every caller, and
 * everybody may ask for them.
 */
import type { GatewayContext } from "../context.ts";
import { openApiDocument } from "../openapi/document.ts";
import { operations } from "../openapi/operations.ts";
import { docsPage } from "../openapi/page.ts";

let documentText: string | undefined;
let pageText: string | undefined;

export function getOpenApi(c: GatewayContext): Response {
  documentText ??= JSON.stringify(openApiDocument(operations));
  return c.body(documentText, 200, { "Content-Type": "application/json" });
}

export async function getDocs(c: GatewayContext): Promise<Response> {
  pageText ??= String(await docsPage(openApiDocument(operations), operations));
  return await c.html(pageText);
}
