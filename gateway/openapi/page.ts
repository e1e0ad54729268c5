/** The OpenAPI document as one page of HTML: no script, nothing from elsewhere. */
import { html } from "hono/html";
import { styleElement } from "../page-style.ts";
import { descriptionOf, type OpenApiDocument, type OpenApiObject } from "./document.ts";
import { type Operation, refusalsOf } from "./operation.ts";

export function docsPage(document: OpenApiDocument, operations: readonly Operation[]) {
  const tags = [...Map.groupBy(operations, ({ tag }) => tag)];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sluice: calls</title>
${styleElement}
</head>
<body>
<h1>Sluice: calls</h1>
<p>${document.info["description"]}</p>
<p>For tools: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1). Most calls need <code>Authorization: Bearer KEY</code>.</p>
<ul>${tags.map(([tag]) => html`<li><a href="#${anchor(tag)}">${tag}</a></li>`)}</ul>
${tags.map(([tag, own]) => html`<h2 id="${anchor(tag)}">${tag}</h2>${own.map((operation) => section(document, operation))}`)}
</body>
</html>`;
}

function section(document: OpenApiDocument, operation: Operation) {
  const object = document.paths[operation.path]?.[operation.method.toLowerCase()] ?? {};
  const id = text(object["operationId"]);
  return html`<h3 id="${id}"><a href="#${id}"><code>${operation.method} ${operation.path}</code></a></h3>
<p>${operation.summary}. ${descriptionOf(operation)}</p>
${parameters(object["parameters"])}
<table><tr><th>status</th><th>code</th><th></th></tr>
${operation.responses.map(
  ({ status, description, content }) =>
    html`<tr><td>${status}</td><td></td><td>${description} (${Object.keys(content).join(", ")})</td></tr>`,
)}${refusalsOf(operation)
  .toSorted((a, b) => a.status - b.status)
  .map(
    ({ status, code, description }) =>
      html`<tr><td>${status}</td><td><code>${code}</code></td><td>${description}</td></tr>`,
  )}</table>
${details("Body of the request", object["requestBody"])}${details("Answers", object["responses"])}`;
}

function parameters(list: unknown) {
  if (!Array.isArray(list) || list.length === 0) return "";
  const rows = list.map((parameter: OpenApiObject) => {
    const { name, in: place, required, description, schema } = parameter;
    return html`<tr><td><code>${name}</code></td><td>${place}${required === true ? ", required" : ""}</td><td>${description}</td><td><code>${JSON.stringify(schema)}</code></td></tr>`;
  });
  return html`<table><tr><th>parameter</th><th>in</th><th></th><th>schema</th></tr>${rows}</table>`;
}

function details(summary: string, value: unknown) {
  if (value === undefined) return "";
  return html`<details><summary>${summary}</summary><pre>${JSON.stringify(value, null, 2)}</pre></details>`;
}

function anchor(tag: string): string {
  return tag.toLowerCase().replaceAll(" ", "-");
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
