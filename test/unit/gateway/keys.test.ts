import { describe, expect, it } from "vitest";
import { environmentOfKey, mintKey } from "../../../gateway/keys/key-text.ts";
import { originHasKey } from "../../../sql/statements/keys.ts";
import { addKey, answer, createHarness, type Harness, order, reading } from "./harness.ts";

const ORIGIN = "https://shop.example";

interface KeyBody {
  readonly key: string;
  readonly key_id: string;
  readonly state: string;
  readonly expires_at: string | null;
  readonly rotated_from: string | null;
  readonly code?: string;
  readonly detail?: string;
}

async function keyBody(response: Response): Promise<KeyBody> {
  const body: KeyBody = JSON.parse(await response.text());
  return body;
}

async function create(harness: Harness, wanted: Record<string, unknown>): Promise<KeyBody> {
  const response = await harness.post("/v1/keys", wanted);
  expect(response.status).toBe(201);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return await keyBody(response);
}

async function postOrder(harness: Harness, key: string, headers: Record<string, string> = {}): Promise<number> {
  const init = { ...headers, authorization: `Bearer ${key}` };
  return (await harness.post("/v1/topics/orders/events", order("o-1"), init)).status;
}

async function endOf(harness: Harness, keyId: string): Promise<string | null | undefined> {
  const list: { keys: KeyBody[] } = JSON.parse(await (await harness.request("/v1/keys")).text());
  return list.keys.find(({ key_id }) => key_id === keyId)?.expires_at;
}

async function publishable(harness: Harness): Promise<KeyBody> {
  return await create(harness, { producer: "web", kind: "publishable", scopes: ["orders:write"], origins: [ORIGIN] });
}

describe("keys over HTTP", () => {
  it("are made, work by their scopes, and are listed without their text or hash", async () => {
    const harness = createHarness();
    const made = await create(harness, { producer: "shop", scopes: ["orders:write"] });
    expect(made.key).toMatch(/^sk_local_[\w-]{43}$/);
    expect(await postOrder(harness, made.key)).toBe(202);
    const elsewhere = { authorization: `Bearer ${made.key}` };
    expect((await harness.post("/v1/topics/weather/events", reading("r-1"), elsewhere)).status).toBe(403);
    expect((await harness.post("/v1/keys", { producer: "x", scopes: ["orders:write"] }, elsewhere)).status).toBe(403);
    const list = await (await harness.request("/v1/keys")).text();
    expect(list).toContain(made.key_id);
    expect(list).not.toContain(made.key);
    expect(list).not.toMatch(/[0-9a-f]{64}/);
    const stored = harness.db.sqlite.prepare("SELECT * FROM api_keys").all();
    expect(JSON.stringify(stored)).not.toContain(made.key);
    expect(JSON.stringify(harness.logs)).not.toContain(made.key);
  });

  it("rotate with an overlap: both work until it ends, then only the new one", async () => {
    const harness = createHarness();
    const old = await create(harness, { producer: "shop", scopes: ["orders:write"] });
    const rotated = await harness.post(`/v1/keys/${old.key_id}/rotate`, { overlap_seconds: 3_600 });
    const fresh = await keyBody(rotated);
    expect([rotated.status, fresh.rotated_from]).toEqual([201, old.key_id]);
    expect([await postOrder(harness, old.key), await postOrder(harness, fresh.key)]).toEqual([202, 202]);
    harness.clock.advance(3_600_000);
    expect([await postOrder(harness, old.key), await postOrder(harness, fresh.key)]).toEqual([401, 202]);
    const late = await harness.post(`/v1/keys/${old.key_id}/rotate`, "");
    expect([late.status, (await answer(late)).code]).toEqual([409, "KEY_NOT_IN_FORCE"]);
  });

  it("rotate with an overlap of a day if none is given, and never live longer for it", async () => {
    const harness = createHarness();
    const old = await create(harness, { producer: "shop", scopes: ["orders:write"], expires_in_seconds: 60 });
    await harness.post(`/v1/keys/${old.key_id}/rotate`, "");
    const long = await create(harness, { producer: "shop", scopes: ["orders:write"] });
    await harness.post(`/v1/keys/${long.key_id}/rotate`, "");
    expect([await endOf(harness, old.key_id), await endOf(harness, long.key_id)]).toEqual([
      "2026-11-21T12:01:00.000Z",
      "2026-11-22T12:00:00.000Z",
    ]);
  });

  it("keep their expiry when they are rotated, also twice and during the overlap", async () => {
    const harness = createHarness();
    const rotated = async (id: string, seconds: number): Promise<KeyBody> =>
      await keyBody(await harness.post(`/v1/keys/${id}/rotate`, { overlap_seconds: seconds }));
    const brief = await create(harness, { producer: "shop", scopes: ["orders:write"], expires_in_seconds: 3_600 });
    const second = await rotated(brief.key_id, 60);
    const third = await rotated(second.key_id, 86_400);
    // The answer with `second` was lost, say, so its predecessor is rotated again: not with the end of its overlap.
    const again = await rotated(brief.key_id, 60);
    expect([second, third, again].map(({ expires_at }) => expires_at)).toEqual(
      new Array(3).fill("2026-11-21T13:00:00.000Z"),
    );
    expect(await endOf(harness, second.key_id)).toBe("2026-11-21T13:00:00.000Z");
    expect(await endOf(harness, brief.key_id)).toBe("2026-11-21T12:01:00.000Z");
    harness.clock.advance(3_599_999);
    expect([await postOrder(harness, brief.key), await postOrder(harness, third.key)]).toEqual([401, 202]);
    harness.clock.advance(1);
    expect(await postOrder(harness, third.key)).toBe(401);
    const endless = await create(harness, { producer: "shop", scopes: ["orders:write"] });
    await rotated(endless.key_id, 60);
    expect((await rotated(endless.key_id, 60)).expires_at).toBeNull();
  });

  it("are void at most 60 s after their revocation", async () => {
    const harness = createHarness();
    const made = await create(harness, { producer: "shop", scopes: ["orders:write"] });
    expect(await postOrder(harness, made.key)).toBe(202);
    const revoked = await harness.post(`/v1/keys/${made.key_id}/revoke`, "");
    expect([revoked.status, (await keyBody(revoked)).state]).toEqual([200, "revoked"]);
    harness.clock.advance(59_999);
    harness.db.setDown(true);
    await postOrder(harness, made.key);
    harness.clock.advance(1);
    expect(await postOrder(harness, made.key)).toBe(503);
    harness.db.setDown(false);
    expect(await postOrder(harness, made.key)).toBe(401);
  });

  it("refuse what makes no sense, and name it", async () => {
    const harness = createHarness();
    for (const [wanted, part] of [
      [{ producer: "shop" }, "scopes"],
      [{ producer: "shop", scopes: ["nowhere:write"] }, "no topic"],
      [{ producer: "shop", scopes: ["orders:delete"] }, "scopes"],
      [{ producer: "Shop!", scopes: ["orders:write"] }, "producer"],
      [{ producer: "shop", scopes: ["orders:write"], origins: [ORIGIN] }, "origins"],
      [{ producer: "shop", kind: "publishable", scopes: ["orders:write"] }, "origins"],
      [{ producer: "shop", kind: "publishable", scopes: ["orders:read"], origins: [ORIGIN] }, "scopes"],
      [{ producer: "shop", kind: "publishable", scopes: ["*:write"], origins: [ORIGIN] }, "scopes"],
      [{ producer: "shop", kind: "publishable", scopes: ["orders:write"], origins: [`${ORIGIN}/`] }, "origins"],
      [{ producer: "shop", scopes: ["orders:write"], surprise: 1 }, "surprise"],
      ["{", "JSON"],
      [
        { producer: "shop", scopes: ["dead_letters:read"] },
        "give TOPIC:read for the dead letters of a topic, or *:read",
      ],
      [{ producer: "shop", scopes: ["dead_letters:write"] }, "only the platform itself writes"],
      [{ producer: "shop", scopes: ["pipeline_alerts:write"] }, "only the platform itself writes"],
    ] as const) {
      const response = await harness.post("/v1/keys", wanted);
      const { code, detail } = await keyBody(response);
      expect([response.status, code]).toEqual([400, "INVALID_PARAMETER"]);
      expect(detail).toContain(part);
    }
    expect((await harness.post("/v1/keys/key_none/revoke", "")).status).toBe(404);
    expect((await harness.request("/v1/keys", { method: "PUT" })).headers.get("allow")).toBe("GET, HEAD, POST");
  });

  it("of another environment are refused without asking the database", async () => {
    const harness = createHarness();
    const before = harness.db.queries();
    expect(await postOrder(harness, `sk_production_${"x".repeat(43)}`)).toBe(401);
    expect(harness.db.queries()).toBe(before);
    expect([environmentOfKey(`sk_staging_${"x".repeat(43)}`), environmentOfKey("local-dev-key")]).toEqual([
      "staging",
      undefined,
    ]);
  });

  it("are made again until logs of others would redact them", async () => {
    const tries = [new Uint8Array(32), Uint8Array.from({ length: 32 }, (_, i) => i * 37 + 11)];
    const { key } = mintKey("publishable", "staging", () => tries.shift() ?? new Uint8Array(32));
    expect(tries).toEqual([]);
    expect(key).toMatch(/^pk_staging_(?=.*[a-z].*[a-z])(?=.*[A-Z].*[A-Z])(?=.*\d.*\d)/);
  });
});

describe("publishable keys", () => {
  it("write from their own origin, which may read the answer; nothing else", async () => {
    const harness = createHarness();
    const { key } = await publishable(harness);
    const authorization = `Bearer ${key}`;
    const here = await harness.post("/v1/topics/orders/events", order("o"), { authorization, origin: ORIGIN });
    expect(here.status).toBe(202);
    expect(here.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(here.headers.get("access-control-expose-headers")).toContain("Retry-After");
    expect(here.headers.get("vary")).toContain("Origin");
    for (const headers of [{ authorization }, { authorization, origin: "https://evil.example" }]) {
      const refused = await harness.post("/v1/topics/orders/events", order("o"), headers);
      expect([refused.status, (await answer(refused)).code]).toEqual([403, "ORIGIN_NOT_ALLOWED"]);
      expect(refused.headers.get("access-control-allow-origin")).toBeNull();
    }
    for (const path of ["/v1/topics", "/v1/keys", "/v1/tables"]) {
      expect((await harness.request(path, { headers: { authorization, origin: ORIGIN } })).status).toBe(403);
    }
    const weather = await harness.post("/v1/topics/weather/events", reading("r"), { authorization, origin: ORIGIN });
    expect(weather.status).toBe(403);
    expect(weather.headers.get("access-control-allow-origin")).toBe(ORIGIN);
  });

  it("get a preflight for origins that have a key, and none for others", async () => {
    const harness = createHarness();
    const made = await publishable(harness);
    const preflight = (origin: string): Promise<Response> =>
      harness.request("/v1/topics/orders/events", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST", authorization: "" },
      });
    const allowed = await preflight(ORIGIN);
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([204, ORIGIN]);
    expect(allowed.headers.get("access-control-allow-headers")).toContain("Idempotency-Key");
    const refused = await preflight("https://evil.example");
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([403, null]);
    await harness.post(`/v1/keys/${made.key_id}/revoke`, "");
    harness.clock.advance(30_000);
    expect((await preflight(ORIGIN)).status).toBe(403);
    harness.clock.advance(60_000);
    harness.db.setDown(true);
    expect((await preflight(ORIGIN)).status).toBe(503);
  });

  it("are bound to origins as browsers send them; others are refused with what to write", async () => {
    const harness = createHarness();
    for (const [origin, advice] of [
      ["https://*.shop.example", "wildcards are not supported: name each origin"],
      ["*", "wildcards are not supported"],
      ["null", "every page without an origin"],
      ["https://shop.example/", "as browsers send it: https://shop.example"],
      ["https://shop.example:443", "as browsers send it: https://shop.example"],
      ["https://Shop.example", "as browsers send it: https://shop.example"],
      ["https://m\u00fcnchen.example", "as browsers send it: https://xn--mnchen-3ya.example"],
      ["https://user@shop.example", "as browsers send it: https://shop.example"],
      ["shop.example", "such as https://shop.example"],
      ["ftp://shop.example", "such as https://shop.example"],
      ["file://", "such as https://shop.example"],
      ["javascript://x", "such as https://shop.example"],
      ["capacitor://localhost/", "such as https://shop.example or capacitor://localhost"],
      [`https://${"x".repeat(300)}.example`, "at most 300 characters"],
    ]) {
      const wanted = { producer: "web", kind: "publishable", scopes: ["orders:write"], origins: [origin] };
      const response = await harness.post("/v1/keys", wanted);
      expect([origin, response.status]).toEqual([origin, 400]);
      expect((await keyBody(response)).detail).toContain(`origins.0: `);
      expect((await keyBody(await harness.post("/v1/keys", wanted))).detail).toContain(advice);
    }
  });

  it("serve the web views of apps, by the scheme that they send", async () => {
    const harness = createHarness();
    const origins = [
      "capacitor://localhost",
      "ionic://localhost",
      "tauri://localhost",
      "http://localhost",
      "https://[::1]:3000",
    ];
    origins.push("chrome-extension://abcdefghijklmnopabcdefghijklmnop", "app://obsidian.md");
    const { key } = await create(harness, { producer: "app", kind: "publishable", scopes: ["orders:write"], origins });
    for (const origin of origins) {
      const preflight = await harness.bare("/v1/topics/orders/events", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
      expect([origin, preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([
        origin,
        204,
        origin,
      ]);
      expect(await postOrder(harness, key, { origin })).toBe(202);
    }
    expect(await postOrder(harness, key, { origin: "capacitor://elsewhere" })).toBe(403);
  });

  it("are found by their origins through an index, whoever wrote the row", async () => {
    const { db } = createHarness();
    addKey(db, "by hand", []);
    const has = (origin: string): Promise<boolean> => originHasKey(db.d1, origin, "2026-11-21T12:00:00.000Z");
    const set = (column: string, value: string): void => {
      db.sqlite.prepare(`UPDATE api_keys SET ${column} = ? WHERE producer = 'producer of by hand'`).run(value);
    };
    set("kind", "publishable");
    for (const [origins, found] of [
      ['["https://a.example","https://b.example"]', true],
      ['["https://b.example"]', false],
      ["nonsense", false],
      ['{"x":"https://a.example"}', true],
      ["[1,null]", false],
      ['["https://a.example"]', true],
    ] as const) {
      set("origins", origins);
      expect([origins, await has("https://a.example")]).toEqual([origins, found]);
    }
    set("expires_at", "2026-11-21T12:00:00.000Z");
    expect(await has("https://a.example")).toBe(false);
    set("expires_at", "2026-11-21T12:00:00.001Z");
    expect(await has("https://a.example")).toBe(true);
    set("overlap_ends_at", "2026-11-21T11:00:00.000Z");
    expect(await has("https://a.example")).toBe(false);
    const plan = db.sqlite
      .prepare("EXPLAIN QUERY PLAN SELECT 1 FROM key_origins JOIN api_keys USING (key_hash) WHERE origin = 'x'")
      .all();
    expect(plan.map(({ detail }) => String(detail)).filter((detail) => detail.startsWith("SCAN"))).toEqual([]);
    db.sqlite.exec("DELETE FROM api_keys");
    expect(db.sqlite.prepare("SELECT count(*) AS n FROM key_origins").get()).toEqual({ n: 0 });
  });

  it("may stand in the address, as text/plain too, and are never logged", async () => {
    const harness = createHarness();
    const { key } = await publishable(harness);
    const beacon = (body: string, query: string, headers: Record<string, string> = {}): Promise<Response> =>
      harness.bare(`/v1/topics/orders/events?${query}`, {
        method: "POST",
        body,
        headers: { "content-type": "text/plain;charset=UTF-8", origin: ORIGIN, ...headers },
      });
    const one = JSON.stringify(order("b-1"));
    const two = JSON.stringify(order("b-2"));
    for (const body of [one, `[${one},${two}]`, `${one}\n${two}\n`]) {
      expect((await beacon(body, `k=${key}`)).status).toBe(202);
    }
    expect(harness.sent.reduce((sum, { header }) => sum + header.count, 0)).toBe(5);
    expect((await beacon("nonsense", `k=${key}`)).status).toBe(422);
    expect((await beacon(one, `k=${key}`, { origin: "https://evil.example" })).status).toBe(403);
    expect((await beacon(one, `k=${key}x`)).status).toBe(401);
    expect((await beacon(one, "")).status).toBe(401);
    const asText = await beacon(one, "", { authorization: `Bearer ${key}` });
    expect([asText.status, (await answer(asText)).code]).toEqual([415, "UNSUPPORTED_MEDIA_TYPE"]);
    expect(JSON.stringify(harness.logs)).not.toContain(key);
    expect(JSON.stringify(harness.logs)).not.toContain("k=");
  });

  it("are the only ones that may stand in the address", async () => {
    const harness = createHarness();
    const { key } = await create(harness, { producer: "shop", scopes: ["orders:write"] });
    addKey(harness.db, "pk_local_made-by-hand", ["orders:write"]);
    for (const secret of [key, "local-dev-key", "pk_local_made-by-hand"]) {
      const response = await harness.bare(`/v1/topics/orders/events?k=${secret}`, { method: "POST", body: "{}" });
      const text = await response.text();
      expect([response.status, text.includes(secret)]).toEqual([401, false]);
    }
    expect(JSON.stringify(harness.logs)).not.toContain(key);
  });
});
