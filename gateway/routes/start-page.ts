/** `GET /`: what this is, where to go, and commands to copy. HTML for people, JSON for those who ask for it. */
import { accepts } from "hono/accepts";
import { html } from "hono/html";
import { contracts } from "../../contracts/registry.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { LOCAL_KEY } from "../middleware/auth/auth.ts";
import { styleElement } from "../page-style.ts";

const WHAT =
  "Sluice takes events, checks each against a data contract, answers event by event, and writes a lake of Parquet.";

const LINKS = [
  ["/healthz", "this isolate runs"],
  ["/readyz", "what it depends on answers"],
  ["/docs", "every call, its parameters and answers"],
  ["/openapi.json", "the same for tools (OpenAPI 3.1)"],
  ["/v1/topics", "topics and their fields (needs a key)"],
  ["/v1/contracts/weather", "a topic's contract; /schema.json beside it is for editors (needs a key)"],
  ["/v1/contracts/weather/example", "a valid event, ready to be sent (needs a key)"],
  ["/registry/subjects", "schemas, for clients of the Confluent Schema Registry (needs a key)"],
  ["/v1/tables", "published tables (needs a key)"],
  ["/metrics", "metrics for Prometheus (needs a key)"],
] as const;

export function startPage(deps: GatewayDeps): (c: GatewayContext) => Response | Promise<Response> {
  const key = deps.environment === "local" ? LOCAL_KEY : "$SLUICE_KEY";
  return function startPage(c) {
    const { origin } = new URL(c.req.url);
    const topics = contracts.filter((contract) => !contract.platformOnly).map(({ topic }) => topic);
    c.header("Vary", "Accept");
    const type = accepts(c, { header: "Accept", supports: ["text/html", "application/json"], default: "text/html" });
    if (type === "application/json") {
      const links = Object.fromEntries(LINKS.map(([path, what]) => [`${origin}${path}`, what]));
      return c.json({ name: "sluice", description: WHAT, environment: deps.environment, topics, links });
    }
    return c.html(page(origin, deps.environment, topics, commandsOf(origin, key)));
  };
}

function commandsOf(origin: string, key: string): readonly { readonly what: string; readonly command: string }[] {
  const event = `{"event_id":"'$(uuidgen)'","station_id":"DE-001","city":"Berlin","country":"DE","event_timestamp":"'$(date -u +%FT%TZ)'","temperature_c":7.5,"humidity_pct":81,"pressure_hpa":1013.2,"wind_speed_ms":3.4,"condition":"clouds","is_forecast":false}`;
  const authorization = `-H "Authorization: Bearer ${key}"`;
  const post = `curl -s ${authorization} -H "Content-Type: application/json"`;
  return [
    { what: "Send an event", command: `${post} "${origin}/v1/topics/weather/events?results=all" -d '${event}'` },
    {
      what: "Ask for verdicts without storing anything",
      command: `${post} "${origin}/v1/topics/weather/events?dry_run=true" -d '[{"city":"Berlin"}]'`,
    },
    {
      what: "Send an example",
      command: `curl -s ${authorization} ${origin}/v1/contracts/orders/example | ${post} "${origin}/v1/topics/orders/events?results=all" --data-binary @-`,
    },
    { what: "List the topics", command: `curl -s ${authorization} ${origin}/v1/topics` },
    { what: "List the published tables", command: `curl -s ${authorization} ${origin}/v1/tables` },
  ];
}

function page(origin: string, environment: string, topics: readonly string[], commands: ReturnType<typeof commandsOf>) {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sluice (${environment})</title>
${styleElement}
</head>
<body>
<h1>Sluice</h1>
<p>${WHAT}</p>
<p>Environment: ${environment}. Topics: ${topics.join(", ")}.</p>
<ul>${LINKS.map(([path, what]) => html`<li><a href="${origin}${path}">${path}</a> ${what}</li>`)}</ul>
${commands.map(({ what, command }) => html`<h2>${what}</h2><pre>${command}</pre>`)}
</body>
</html>`;
}
