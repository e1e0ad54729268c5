/** Which headers of a page pass the preflight; which origins do is keys.test.ts's part. */
import { describe, expect, it } from "vitest";
import { allowedHeaders } from "../../../gateway/middleware/cors/allowed-headers.ts";
import { createHarness, type Harness, order } from "./harness.ts";

const ORIGIN = "https://shop.example";
const EVENTS = "/v1/topics/orders/events";

async function publishable(harness: Harness): Promise<string> {
  const made = { producer: "web", kind: "publishable", scopes: ["orders:write"], origins: [ORIGIN] };
  const { key }: { key: string } = JSON.parse(await (await harness.post("/v1/keys", made)).text());
  return key;
}

function preflight(harness: Harness, headers: string, path = EVENTS): Promise<Response> {
  return harness.bare(path, {
    method: "OPTIONS",
    headers: {
      origin: ORIGIN,
      "access-control-request-method": "POST",
      "access-control-request-headers": headers,
    },
  });
}

/** As a browser decides it (WHATWG Fetch, "CORS-preflight fetch", step 7). */
function passes(response: Response, headers: string): boolean {
  const allowed = (response.headers.get("access-control-allow-headers") ?? "").toLowerCase().split(", ");
  return headers.split(",").every((name) => allowed.includes(name));
}

describe("the preflight", () => {
  it.each([
    "authorization,content-type",
    "baggage,content-type,sentry-trace",
    "authorization,content-encoding,idempotency-key,sluice-schema-version,traceparent,tracestate",
    "authorization,ce-id,ce-source,ce-specversion,ce-time,ce-type,ce-comexampleextension1",
  ])("lets %s pass, with or without a slash at the end of the address", async (headers) => {
    const harness = createHarness();
    await publishable(harness);
    for (const path of [EVENTS, `${EVENTS}/`]) {
      const response = await preflight(harness, headers, path);
      expect([response.status, passes(response, headers)]).toEqual([204, true]);
    }
  });

  it("names no other header, however it is asked for", () => {
    const plain = allowedHeaders(undefined);
    expect(allowedHeaders("x-api-key, *, ce-, ce-a b, ce-ä, cookie,,")).toBe(plain);
    expect(allowedHeaders("CE-Id")).toBe(`${plain}, ce-id`);
  });

  it("lets requests with credentials pass, as a beacon of JSON is one; the answer too", async () => {
    const harness = createHarness();
    const key = await publishable(harness);
    const { headers } = await preflight(harness, "content-type");
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    // With credentials neither may be a wildcard.
    expect(headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(headers.get("access-control-allow-headers")).not.toContain("*");
    const beacon = await harness.bare(`${EVENTS}?k=${key}`, {
      method: "POST",
      headers: { origin: ORIGIN, "content-type": "application/json", cookie: "other=1" },
      body: JSON.stringify([order("a")]),
    });
    expect([beacon.status, beacon.headers.get("access-control-allow-credentials")]).toEqual([202, "true"]);
    const secret = await harness.post(EVENTS, [order("b")], { origin: ORIGIN });
    expect(secret.headers.get("access-control-allow-credentials")).toBeNull();
  });
});
