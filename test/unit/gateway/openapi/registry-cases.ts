/** How each documented answer of the schema registry is produced. */
import type { Case, ResponseKey } from "./case.ts";

const call =
  (method: string, path: string, body?: unknown): Case =>
  (harness) =>
    harness.request(`/registry${path}`, {
      method,
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });

const SUBJECT = "/subjects/weather-value";
const UNKNOWN = "/subjects/nope-value";
const released: (next: (body: object) => Case) => Case = (next) => async (harness) => {
  const found = await harness.request(`/registry${SUBJECT}/versions/latest`);
  const { schema }: { schema: string } = JSON.parse(await found.text());
  return await next({ schema })(harness);
};
const other = { schema: JSON.stringify({ type: "record", name: "Other", fields: [] }) };
const large = JSON.stringify({ schema: "x".repeat(1_100_000) });

const badPage = (path: string): Record<ResponseKey, Case> => ({ "400 400": call("GET", `${path}?limit=many`) });
const badFlag = (method: string, path: string, flag: string, body?: unknown): Record<ResponseKey, Case> => ({
  "400 400": call(method, `${path}?${flag}=maybe`, body),
});
const withId = (rest = ""): Record<ResponseKey, Case> => ({
  "200": async (harness) => {
    const found = await harness.request(`/registry${SUBJECT}/versions/latest`);
    const { id }: { id: number } = JSON.parse(await found.text());
    return await harness.request(`/registry/schemas/ids/${id}${rest}`);
  },
  "404 40403": call("GET", `/schemas/ids/1${rest}`),
});
const withVersion = (rest = ""): Record<ResponseKey, Case> => ({
  "200": call("GET", `${SUBJECT}/versions/latest${rest}`),
  "404 40401": call("GET", `${UNKNOWN}/versions/1${rest}`),
  "404 40402": call("GET", `${SUBJECT}/versions/999${rest}`),
  "422 42202": call("GET", `${SUBJECT}/versions/first${rest}`),
});
const withSubject = (path: (subject: string) => string): Record<ResponseKey, Case> => ({
  "200": call("GET", path("weather-value")),
  "404 40401": call("GET", path("nope-value")),
});
const withSchema = (path: (subject: string) => string): Record<ResponseKey, Case> => ({
  "200": released((body) => call("POST", path("weather-value"), body)),
  "404 40401": call("POST", path("nope-value"), other),
  "413 413": call("POST", path("weather-value"), large),
  "422 42201": call("POST", path("weather-value"), { schema: "{}" }),
});
const VERSIONS = `${SUBJECT}/versions`;
const LATEST = `${VERSIONS}/latest`;
const writes = (path: string, ...methods: readonly string[]): Record<string, Record<ResponseKey, Case>> =>
  Object.fromEntries(
    methods.map((method) => [
      `${method} /registry${path}`,
      { "422 42205": call(method, path.replace("{subject}", "weather-value"), method === "PUT" ? {} : undefined) },
    ]),
  );

export const registryCases: Record<string, Record<ResponseKey, Case>> = {
  "GET /registry": { "200": call("GET", "") },
  "GET /registry/contexts": { "200": call("GET", "/contexts") },
  "GET /registry/subjects": { ...badPage("/subjects"), "200": call("GET", "/subjects") },
  "POST /registry/subjects/{subject}": {
    ...withSchema((subject) => `/subjects/${subject}`),
    ...badFlag("POST", SUBJECT, "normalize", other),
    "404 40403": call("POST", SUBJECT, other),
  },
  ...writes("/subjects/{subject}", "DELETE"),
  "GET /registry/subjects/{subject}/versions": {
    ...withSubject((subject) => `/subjects/${subject}/versions`),
    ...badPage(VERSIONS),
  },
  "POST /registry/subjects/{subject}/versions": {
    ...withSchema((subject) => `/subjects/${subject}/versions`),
    ...badFlag("POST", VERSIONS, "normalize", other),
    "422 42205": call("POST", VERSIONS, other),
  },
  "GET /registry/subjects/{subject}/versions/{version}": { ...withVersion(), ...badFlag("GET", LATEST, "deleted") },
  "DELETE /registry/subjects/{subject}/versions/{version}": { "422 42205": call("DELETE", `${VERSIONS}/1`) },
  "GET /registry/subjects/{subject}/versions/{version}/schema": {
    ...withVersion("/schema"),
    ...badFlag("GET", `${LATEST}/schema`, "deleted"),
  },
  "GET /registry/subjects/{subject}/versions/{version}/referencedby": withVersion("/referencedby"),
  "GET /registry/schemas": { ...badPage("/schemas"), "200": call("GET", "/schemas") },
  "GET /registry/schemas/types": { "200": call("GET", "/schemas/types") },
  "GET /registry/schemas/ids/{id}": { ...withId(), ...badFlag("GET", "/schemas/ids/100001", "fetchMaxId") },
  "GET /registry/schemas/ids/{id}/schema": withId("/schema"),
  "GET /registry/schemas/ids/{id}/subjects": { ...withId("/subjects"), ...badPage("/schemas/ids/100001/subjects") },
  "GET /registry/schemas/ids/{id}/versions": { ...withId("/versions"), ...badPage("/schemas/ids/100001/versions") },
  "POST /registry/compatibility/subjects/{subject}/versions": {
    ...withSchema((subject) => `/compatibility/subjects/${subject}/versions?verbose=true`),
    ...badFlag("POST", `/compatibility${VERSIONS}`, "verbose", other),
  },
  "POST /registry/compatibility/subjects/{subject}/versions/{version}": {
    ...withSchema((subject) => `/compatibility/subjects/${subject}/versions/1`),
    ...badFlag("POST", `/compatibility${LATEST}`, "verbose", other),
    "404 40402": call("POST", `/compatibility${VERSIONS}/999`, other),
    "422 42202": call("POST", `/compatibility${VERSIONS}/first`, other),
  },
  "GET /registry/config": { "200": call("GET", "/config") },
  ...writes("/config", "PUT", "DELETE"),
  "GET /registry/config/{subject}": {
    ...badFlag("GET", "/config/weather-value", "defaultToGlobal"),
    "200": call("GET", "/config/weather-value"),
    "404 40408": call("GET", "/config/nope-value"),
  },
  ...writes("/config/{subject}", "PUT", "DELETE"),
  "GET /registry/mode": { "200": call("GET", "/mode") },
  ...writes("/mode", "PUT"),
  "GET /registry/mode/{subject}": {
    ...badFlag("GET", "/mode/weather-value", "defaultToGlobal"),
    "200": call("GET", "/mode/weather-value"),
    "404 40409": call("GET", "/mode/nope-value"),
  },
  ...writes("/mode/{subject}", "PUT", "DELETE"),
};
