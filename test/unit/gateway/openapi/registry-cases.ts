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
export const registryCases: Record<string, Record<ResponseKey, Case>> = {
  "GET /registry/subjects": { "200": call("GET", "/subjects") },
  "POST /registry/subjects/{subject}": {
    ...withSchema((subject) => `/subjects/${subject}`),
    "404 40403": call("POST", SUBJECT, other),
  },
  "DELETE /registry/subjects/{subject}": { "422 42205": call("DELETE", SUBJECT) },
  "GET /registry/subjects/{subject}/versions": withSubject((subject) => `/subjects/${subject}/versions`),
  "POST /registry/subjects/{subject}/versions": {
    ...withSchema((subject) => `/subjects/${subject}/versions`),
    "422 42205": call("POST", `${SUBJECT}/versions`, other),
  },
  "GET /registry/subjects/{subject}/versions/{version}": withVersion(),
  "DELETE /registry/subjects/{subject}/versions/{version}": { "422 42205": call("DELETE", `${SUBJECT}/versions/1`) },
  "GET /registry/subjects/{subject}/versions/{version}/schema": withVersion("/schema"),
  "GET /registry/schemas/types": { "200": call("GET", "/schemas/types") },
  "GET /registry/schemas/ids/{id}": withId(),
  "GET /registry/schemas/ids/{id}/schema": withId("/schema"),
  "GET /registry/schemas/ids/{id}/subjects": withId("/subjects"),
  "GET /registry/schemas/ids/{id}/versions": withId("/versions"),
  "POST /registry/compatibility/subjects/{subject}/versions": withSchema(
    (subject) => `/compatibility/subjects/${subject}/versions?verbose=true`,
  ),
  "POST /registry/compatibility/subjects/{subject}/versions/{version}": {
    ...withSchema((subject) => `/compatibility/subjects/${subject}/versions/1`),
    "404 40402": call("POST", `/compatibility${SUBJECT}/versions/999`, other),
    "422 42202": call("POST", `/compatibility${SUBJECT}/versions/first`, other),
  },
  "GET /registry/config": { "200": call("GET", "/config") },
  "PUT /registry/config": { "422 42205": call("PUT", "/config", { compatibility: "NONE" }) },
  "GET /registry/config/{subject}": withSubject((subject) => `/config/${subject}`),
  "PUT /registry/config/{subject}": { "422 42205": call("PUT", "/config/weather-value", { compatibility: "NONE" }) },
  "GET /registry/mode": { "200": call("GET", "/mode") },
  "PUT /registry/mode": { "422 42205": call("PUT", "/mode", { mode: "READWRITE" }) },
};
