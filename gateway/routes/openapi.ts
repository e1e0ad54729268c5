/** `GET /openapi.json` and `GET /docs`. The document is made at the first call and kept: it is the same for every caller. */
import type { GatewayContext } from "../context.ts";
import { type OpenApiDocument, openApiDocument } from "../openapi/document.ts";
import { operations } from "../openapi/operations.ts";
import { docsPage } from "../openapi/page.ts";

let made: OpenApiDocument | undefined;

function document(): OpenApiDocument {
  made ??= openApiDocument(operations);
  return made;
}

export function getOpenApi(c: GatewayContext): Response {
  return c.json(document());
}

export function getDocs(c: GatewayContext): Response | Promise<Response> {
  return c.html(docsPage(document(), operations));
}
