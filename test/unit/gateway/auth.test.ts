import { describe, expect, it } from "vitest";
import { allows, grantOf } from "../../../gateway/middleware/auth/grant.ts";
import { createKeyCache, type KeyLookup } from "../../../gateway/middleware/auth/key-cache.ts";
import { addKey, answer, createHarness } from "./harness.ts";

const ROW = {
  key_id: "key_1",
  kind: "secret",
  producer: "p",
  scopes: '["orders:write"]',
  origins: "[]",
  events_per_minute: null,
  expires_at: null,
} as const;
const grant = grantOf(ROW);

describe("keys", () => {
  it("are looked up once for concurrent requests, cached for 30 s, and seen revoked after that", async () => {
    const harness = createHarness();
    const before = harness.db.queries();
    const responses = await Promise.all(Array.from({ length: 20 }, () => harness.request("/v1/topics")));
    expect(responses.map(({ status }) => status)).toEqual(new Array(20).fill(200));
    expect(harness.db.queries() - before).toBe(1);
    harness.db.sqlite.exec("UPDATE api_keys SET revoked_at = '2026-11-21T12:00:00Z'");
    harness.clock.advance(29_999);
    expect((await harness.request("/v1/topics")).status).toBe(200);
    harness.clock.advance(1);
    expect((await harness.request("/v1/topics")).status).toBe(401);
  });

  it("that are unknown are cached too", async () => {
    const harness = createHarness();
    const unknown = { headers: { authorization: "Bearer nobody" } };
    await harness.request("/v1/topics", unknown);
    const before = harness.db.queries();
    const response = await harness.request("/v1/topics", unknown);
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(harness.db.queries()).toBe(before);
  });

  it("serve for 60 s in all while D1 is down; others get 503 and Retry-After", async () => {
    const harness = createHarness();
    await harness.request("/v1/topics");
    await harness.request("/v1/topics", { headers: { authorization: "Bearer nobody" } });
    harness.db.setDown(true);
    harness.clock.advance(59_999);
    expect((await harness.request("/v1/topics")).status).toBe(200);
    const unknown = await harness.request("/v1/topics", { headers: { authorization: "Bearer nobody" } });
    expect([unknown.status, unknown.headers.get("retry-after")]).toEqual([503, "5"]);
    harness.clock.advance(1);
    const stale = await harness.request("/v1/topics");
    expect([stale.status, (await answer(stale)).code]).toEqual([503, "KEYS_UNAVAILABLE"]);
    harness.db.setDown(false);
    expect((await harness.request("/v1/topics")).status).toBe(200);
  });

  it("expire, also while they are cached", async () => {
    const harness = createHarness();
    addKey(harness.db, "brief", ["*:read"], "2026-11-21T12:00:10Z");
    const brief = { headers: { authorization: "bearer brief" } };
    expect((await harness.request("/v1/topics", brief)).status).toBe(200);
    harness.clock.advance(10_000);
    expect((await harness.request("/v1/topics", brief)).status).toBe(401);
  });

  it("named local-dev-key open nothing but a local platform, whoever inserted it", async () => {
    for (const environment of ["staging", "production"] as const) {
      const harness = createHarness({ environment });
      expect((await harness.request("/v1/topics")).status).toBe(401);
      expect(await (await harness.request("/")).text()).not.toContain("local-dev-key");
    }
  });

  it("with scopes or an expiry that cannot be read allow nothing", () => {
    for (const scopes of ["nonsense", "{}", "[1]", "null"]) {
      expect(allows(grantOf({ ...ROW, scopes }), "orders", "write")).toBe(false);
    }
    expect(grantOf({ ...ROW, expires_at: "soon" }).expiresAt).toBe(0);
    expect([
      allows(grant, "orders", "write"),
      allows(grant, "orders", "read"),
      allows(grant, "users", "write"),
    ]).toEqual([true, false, false]);
  });
});

describe("the cache of keys", () => {
  it("asks again after a failure, and does not grow without bound", async () => {
    let loads = 0;
    let fails = true;
    const cache = createKeyCache({
      now: () => 0,
      load: async () => {
        loads++;
        if (fails) throw new Error("down");
        return grant;
      },
    });
    const states: KeyLookup["state"][] = [];
    const kept: Promise<unknown>[] = [];
    const look = async (hash: string): Promise<void> => {
      states.push((await cache.lookup(hash, (query) => kept.push(query))).state);
    };
    await look("a");
    fails = false;
    await look("a");
    expect(states).toEqual(["unavailable", "known"]);
    await expect(Promise.all(kept)).resolves.toBeDefined();
    for (let guess = 0; guess < 10_000; guess++) await look(`guess-${guess}`);
    loads = 0;
    await look("guess-9999");
    expect(loads).toBe(0);
    await look("a");
    expect(loads).toBe(1);
  });
});
