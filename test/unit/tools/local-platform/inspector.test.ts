import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Inspector, parseRange, startInspector } from "../../../../tools/local-platform/inspector.ts";

describe("parseRange", () => {
  it.each([
    ["bytes=0-0", { offset: 0, length: 1 }],
    ["bytes=5-9", { offset: 5, length: 5 }],
    ["bytes=7-", { offset: 7 }],
    ["bytes=-8", { suffix: 8 }],
  ])("%s", (header, range) => expect(parseRange(header)).toEqual(range));

  it.each(["bytes=", "bytes=-", "bytes=-0", "bytes=9-5", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b"])(
    "refuses %s",
    (header) => expect(parseRange(header)).toBe("malformed"),
  );
});

describe("who is served", () => {
  let inspector: Inspector;
  beforeAll(async () => {
    inspector = await startInspector(
      { read: async () => null, list: async () => ({ objects: [], cursor: null }), query: async () => [] },
      0,
    );
  });
  afterAll(() => inspector.close());

  /** As a browser or a program sends it: `fetch` would not let us say the Host. */
  function statusOf(headers: Record<string, string>, path = "/d1"): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const method = path === "/d1" ? "POST" : "GET";
      const sent = request(`${inspector.url}${path}`, { method, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on("error", reject);
      sent.end(method === "POST" ? JSON.stringify({ sql: "SELECT 1" }) : undefined);
    });
  }

  it.each([
    ["a program", {}],
    ["one that says localhost", { host: "localhost:1" }],
    ["an address typed into a browser", { "sec-fetch-site": "none" }],
  ])("%s is", async (_, headers: Record<string, string>) => {
    expect([await statusOf(headers), await statusOf(headers, "/lake")]).toEqual([200, 200]);
  });

  it.each([
    ["under a name of its own", { host: "evil.example:8788" }],
    ["of another origin", { origin: "https://evil.example" }],
    ["in a sandbox", { origin: "null" }],
    ["that another local server serves", { origin: "http://localhost:3000" }],
    ["that says the inspector's own origin", { origin: "http://127.0.0.1:8788" }],
    ["that shows an image of it", { "sec-fetch-site": "cross-site" }],
    ["of the same site", { "sec-fetch-site": "same-site" }],
  ])("a page %s is not", async (_, headers: Record<string, string>) => {
    expect([await statusOf(headers), await statusOf(headers, "/lake")]).toEqual([403, 403]);
  });
});
