import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { answer, createHarness } from "./harness.ts";

const yaml = readFileSync(resolve(import.meta.dirname, "../../../contracts/orders.yaml"), "utf8");

describe("GET /v1/contracts/{topic}", () => {
  test.each([
    ["application/json without a wish", "", undefined, "json"],
    ["JSON when anything is taken", "", "*/*", "json"],
    ["YAML by Accept", "", "application/yaml", "yaml"],
    ["YAML by an older name", "", "text/yaml, */*;q=0.1", "yaml"],
    ["YAML by the query, whatever Accept says", "?format=yaml", "application/json", "yaml"],
    ["JSON by the query", "?format=json", "application/yaml", "json"],
  ])("is %s", async (_what, query, accept, form) => {
    const response = await createHarness().request(`/v1/contracts/orders${query}`, {
      headers: accept === undefined ? {} : { accept },
    });
    const text = await response.text();
    expect(response.headers.get("content-type")).toMatch(`application/${form}`);
    expect(response.headers.get("vary")).toContain("Accept");
    if (form === "yaml") expect(text).toBe(yaml);
    else expect(JSON.parse(text)).toEqual(parse(yaml));
  });
});

describe("GET /v1/contracts/{topic}/example", () => {
  it("is another event of this moment each time, and is accepted", async () => {
    const harness = createHarness();
    const example = async () => JSON.parse(await (await harness.request("/v1/contracts/orders/example")).text());
    const [first, second] = [await example(), await example()];
    expect(first.event_id).not.toBe(second.event_id);
    harness.clock.advance(30 * 86_400_000);
    const later = await example();
    expect(later.event_timestamp > first.event_timestamp).toBe(true);
    const verdicts = await answer(await harness.post("/v1/topics/orders/events?results=all", [later]));
    expect(verdicts).toMatchObject({ accepted: 1 });
  });
});

describe("GET /v1/contracts/{topic}/schema.json", () => {
  it("names its own address", async () => {
    const response = await createHarness().request("http://localhost:8787/v1/contracts/orders/schema.json");
    expect(JSON.parse(await response.text())).toMatchObject({
      $id: "http://localhost:8787/v1/contracts/orders/schema.json",
      type: "object",
      required: expect.arrayContaining(["event_id", "items"]),
      additionalProperties: true,
    });
  });
});

test("the start page leads there", async () => {
  const harness = createHarness();
  const page = await (await harness.request("http://localhost:8787/")).text();
  for (const [path] of [...page.matchAll(/(?<=href="http:\/\/sluice\.test)[^"]+/g)]) {
    expect([path, (await harness.request(path)).status]).toEqual([path, 200]);
  }
  expect(page).toContain("http://localhost:8787/v1/contracts/weather/example");
});
