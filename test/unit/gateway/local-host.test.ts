/** Who reaches a local platform, whose key everybody knows: programs of this machine, and no page under a name of its own. */
import { describe, expect, it } from "vitest";
import { answer, createHarness } from "./harness.ts";

const KEY = { producer: "page", scopes: ["*:admin"] };

describe("a local platform", () => {
  it.each(["127.0.0.1:8787", "localhost:8787", "localhost", "[::1]:8787", "LOCALHOST:8787"])(
    "answers at %s",
    async (host) => {
      const response = await createHarness().request(`http://${host}/v1/topics`, { headers: { host } });
      expect(response.status).toBe(200);
    },
  );

  it.each([
    "evil.example:8787",
    "evil.example",
    "localhost.evil.example:8787",
    "127.0.0.1.evil.example",
    "evil.example:127",
    "192.168.1.20:8787",
    "0.0.0.0:8787",
    "localhost@evil.example",
    "a b",
    "",
  ])("does not make an admin key for a page that calls it %s", async (host) => {
    const harness = createHarness();
    const made = await harness.post("http://localhost:8787/v1/keys", KEY, { host });
    expect([made.status, (await answer(made)).code]).toEqual([403, "HOST_NOT_ALLOWED"]);
  });

  it("refuses every address of such a name, open ones too, and says where it answers", async () => {
    const harness = createHarness();
    for (const path of ["/", "/healthz", "/openapi.json", "/v1/dead-letters", "/registry/subjects", "/nothing"]) {
      const response = await harness.request(`http://rebound.example:8787${path}`);
      expect([path, response.status]).toEqual([path, 403]);
      expect(await response.text()).toContain("http://127.0.0.1");
    }
  });
});

it("a deployed platform answers under every name that is routed to it", async () => {
  const harness = createHarness({ environment: "production" });
  const response = await harness.bare("https://events.shop.example/healthz", {
    headers: { host: "events.shop.example" },
  });
  expect(response.status).toBe(200);
});
