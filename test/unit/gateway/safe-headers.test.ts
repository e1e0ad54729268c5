import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createHarness, order } from "./harness.ts";

const OPEN = { headers: { authorization: "" } };

test("every answer forbids guessing its type, frames and referrers; pages allow their own style and nothing else", async () => {
  const harness = createHarness();
  const answers = {
    page: await harness.request("/", { headers: { authorization: "", accept: "text/html" } }),
    docs: await harness.request("/docs", OPEN),
    document: await harness.request("/openapi.json", OPEN),
    accepted: await harness.post("/v1/topics/orders/events", order("o")),
    refused: await harness.request("/v1/topics", OPEN),
    missing: await harness.request("/nothing", OPEN),
    registry: await harness.request("/registry/subjects"),
    preflight: await harness.bare("/v1/topics/orders/events", {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    }),
    metrics: await harness.request("/metrics"),
  };
  for (const [name, { headers }] of Object.entries(answers)) {
    expect({ name, ...Object.fromEntries(headers) }).toMatchObject({
      name,
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "content-security-policy": expect.stringMatching(
        /^default-src 'none'; style-src 'sha256-[^' ]+'; .*frame-ancestors 'none'$/,
      ),
    });
  }
  for (const page of [answers.page, answers.docs]) {
    const html = await page.text();
    const styles = [...html.matchAll(/<style>([^<]*)<\/style>/g)].map(([, style = ""]) => style);
    expect(styles).toHaveLength(1);
    const hash = createHash("sha256").update(styles.join("")).digest("base64");
    expect(page.headers.get("content-security-policy")).toContain(`style-src 'sha256-${hash}'`);
    expect(html).not.toMatch(/ style=| on\w+=|<script/);
  }
});

test("nobody keeps what a key unlocked, nor a refusal; what is the same for everybody may be kept", async () => {
  const harness = createHarness();
  const cacheOf = async (response: Promise<Response>) => (await response).headers.get("cache-control");
  for (const path of [
    "/v1/topics",
    "/v1/keys",
    "/v1/contracts/orders",
    "/registry/subjects",
    "/registry/schemas/types",
  ]) {
    expect([path, await cacheOf(harness.request(path))]).toEqual([path, "no-store"]);
    expect([path, await cacheOf(harness.request(path, OPEN))]).toEqual([path, "no-store"]);
  }
  expect(await cacheOf(harness.request("/metrics"))).toBe("no-store");
  expect(await cacheOf(harness.post("/v1/topics/orders/events", order("o")))).toBe("no-store");
  for (const path of ["/", "/docs", "/openapi.json"])
    expect([path, await cacheOf(harness.request(path))]).toEqual([path, null]);
});
