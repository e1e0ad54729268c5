import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { allows, grantOf } from "../../../gateway/access/grant.ts";
import { type Caller, networkOf } from "../../../gateway/middleware/auth/caller.ts";
import { createLookupCache } from "../../../gateway/middleware/auth/lookup-cache.ts";
import { createMissLimit } from "../../../gateway/middleware/auth/miss-limit.ts";
import { createNameList } from "../../../gateway/middleware/auth/name-list.ts";
import { addKey, answer, bearer, createHarness, type Harness } from "./harness.ts";

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
    const unknown = { headers: { authorization: bearer("nobody") } };
    await harness.request("/v1/topics", unknown);
    const before = harness.db.queries();
    const response = await harness.request("/v1/topics", unknown);
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, "Bearer"]);
    expect(harness.db.queries()).toBe(before);
  });

  it("serve for 60 s in all while D1 is down; others get 503 and Retry-After", async () => {
    const harness = createHarness();
    await harness.request("/v1/topics");
    await harness.request("/v1/topics", { headers: { authorization: bearer("nobody") } });
    harness.db.setDown(true);
    harness.clock.advance(59_999);
    expect((await harness.request("/v1/topics")).status).toBe(200);
    const unknown = await harness.request("/v1/topics", { headers: { authorization: bearer("nobody") } });
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
    const brief = { headers: { authorization: bearer("brief") } };
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

const network = (name: string): Caller => ({ network: name, keepAlive: () => {} });

describe("what the isolate remembers of the catalog", () => {
  function counted(has: (name: string) => boolean) {
    const asked: string[] = [];
    const time = { now: 0, down: false };
    const cache = createLookupCache<string>({
      now: () => time.now,
      missLimit: createMissLimit(),
      names: { has: async (name) => name === "good-listed" },
      load: async (name) => {
        asked.push(name);
        if (time.down) throw new Error("down");
        return has(name) ? `value of ${name}` : null;
      },
    });
    return { cache, asked, time };
  }

  it("asks again after a failure", async () => {
    const { cache, asked, time } = counted(() => true);
    time.down = true;
    expect((await cache.lookup("a", network("1"))).state).toBe("unavailable");
    time.down = false;
    expect((await cache.lookup("a", network("1"))).state).toBe("known");
    expect(asked).toEqual(["a", "a"]);
  });

  it("a catalog that is down makes nobody a guesser: callers are told so, and served as soon as it answers", async () => {
    const { cache, asked, time } = counted((name) => name.startsWith("good"));
    time.down = true;
    for (let n = 0; n < 40; n++) expect((await cache.lookup(`good-${n}`, network("1"))).state).toBe("unavailable");
    expect(asked).toHaveLength(30);
    time.down = false;
    expect((await cache.lookup("good-listed", network("1"))).state).toBe("known");
    expect((await cache.lookup("good-1", network("1"))).state).toBe("unavailable");
    time.now += 60_000;
    expect((await cache.lookup("good-1", network("1"))).state).toBe("known");

    for (let n = 0; n < 40; n++) await cache.lookup(`guess-${n}`, network("2"));
    expect((await cache.lookup("guess-41", network("2"))).state).toBe("limited");
  });

  it("the list of all names is read again five seconds after it failed, not a minute", async () => {
    const time = { now: 0, down: true };
    let loads = 0;
    const names = createNameList({
      now: () => time.now,
      load: async () => {
        loads++;
        if (time.down) throw new Error("down");
        return ["good"];
      },
    });
    const has = () => names.has("good", network("1"));
    expect([await has(), await has(), loads]).toEqual([false, false, 1]);
    time.down = false;
    time.now += 5_000;
    expect([await has(), loads]).toEqual([true, 2]);
    time.now += 59_999;
    expect([await has(), loads]).toEqual([true, 2]);
  });

  it("guesses push out other guesses, and never what is known", async () => {
    const { cache, asked } = counted((name) => name === "good");
    await cache.lookup("good", network("good"));
    for (let guess = 0; guess < 10_500; guess++) await cache.lookup(`guess-${guess}`, network(String(guess)));
    asked.length = 0;
    expect((await cache.lookup("good", network("good"))).state).toBe("known");
    expect((await cache.lookup("guess-10499", network("x"))).state).toBe("unknown");
    expect(asked).toEqual([]);
    await cache.lookup("guess-0", network("x"));
    expect(asked).toEqual(["guess-0"]);
  });

  it("one network has thirty misses a minute, also all at once; what is found does not count", async () => {
    const { cache, asked, time } = counted((name) => name.startsWith("good"));
    for (let i = 0; i < 100; i++) await cache.lookup(`good-${i}`, network("office"));
    asked.length = 0;
    const all = await Promise.all(Array.from({ length: 200 }, (_, i) => cache.lookup(`bad-${i}`, network("office"))));
    expect(Object.groupBy(all, ({ state }) => state)).toMatchObject({
      unknown: { length: 30 },
      limited: { length: 170, 0: { retryAfterSeconds: 60 } },
    });
    expect(asked).toHaveLength(30);
    expect((await cache.lookup("good-new", network("office"))).state).toBe("limited");
    expect((await cache.lookup("good-listed", network("office"))).state).toBe("known");
    expect((await cache.lookup("good-new", network("elsewhere"))).state).toBe("known");
    time.now = 30_000;
    // Known, but to be asked for again: that is no guess.
    expect((await cache.lookup("good-1", network("office"))).state).toBe("known");
    expect(await cache.lookup("bad-0", network("office"))).toEqual({ state: "limited", retryAfterSeconds: 30 });
    time.now = 60_000;
    expect((await cache.lookup("bad-0", network("office"))).state).toBe("unknown");
  });

  it("a network is an IPv4 address, or the first half of an IPv6 one", () => {
    expect(
      [
        "203.0.113.9",
        "2001:db8:0:1::5",
        "2001:DB8::1:0:0:0:9",
        "2001:db8:0:1:ffff:1:2:3",
        "::1",
        "::ffff:192.0.2.1",
        "",
      ].map(networkOf),
    ).toEqual(["203.0.113.9", "2001:db8:0:1", "2001:db8:0:1", "2001:db8:0:1", "0:0:0:0", "192.0.2.1", ""]);
  });
});

describe("what requests without a key can cost: D1 queries", () => {
  const random = () => `sk_local_${randomBytes(32).toString("base64url")}`;
  async function queriesOf(harness: Harness, requests: (() => Promise<Response>)[]): Promise<number> {
    const before = harness.db.queries();
    for (const request of requests) await request();
    return harness.db.queries() - before;
  }
  const times = (request: (i: number) => Promise<Response>) =>
    Array.from({ length: 1_500 }, (_, i) => () => request(i));

  it("1,500 random keys of one caller: thirty, and one for all keys; then 429, and keys in force go on", async () => {
    const harness = createHarness();
    const guess = (): Promise<Response> =>
      harness.request("/v1/topics", { headers: { authorization: `Bearer ${random()}` } });
    expect(await queriesOf(harness, times(guess))).toBe(31);
    const over = await guess();
    expect([over.status, over.headers.get("retry-after"), (await answer(over)).code]).toEqual([
      429,
      "60",
      "RATE_LIMITED",
    ]);
    const inRegistry = await harness.request("/registry/subjects", {
      headers: { authorization: `Basic ${Buffer.from(`x:${random()}`).toString("base64")}` },
    });
    expect([
      inRegistry.status,
      inRegistry.headers.get("retry-after"),
      JSON.parse(await inRegistry.text()).error_code,
    ]).toEqual([429, "60", 429]);
    expect((await harness.request("/v1/topics")).status).toBe(200);
    const elsewhere = { authorization: `Bearer ${random()}`, "cf-connecting-ip": "203.0.113.9" };
    expect((await harness.request("/v1/topics", { headers: elsewhere })).status).toBe(401);
  });

  it("an origin and a key that exist are found beside guesses, unless there are too many or the catalog is down", async () => {
    const harness = createHarness();
    addKey(harness.db, "web", ["orders:write"]);
    harness.db.sqlite.exec(
      `UPDATE api_keys SET kind = 'publishable', origins = '["https://shop.example"]' WHERE producer = 'producer of web'`,
    );
    for (let i = 0; i < 40; i++) {
      await harness.request("/v1/topics", { headers: { authorization: `Bearer ${random()}` } });
    }
    const preflight = async (origin: string): Promise<number> => {
      const headers = { origin, "access-control-request-method": "POST" };
      return (await harness.bare("/v1/topics/orders/events", { method: "OPTIONS", headers })).status;
    };
    expect([await preflight("https://shop.example"), await preflight("https://evil.example")]).toEqual([204, 429]);
    expect((await harness.request("/v1/topics")).status).toBe(200);
    const listOf = (load: () => Promise<string[]>) => createNameList({ load, now: () => 0 });
    const caller = network("n");
    expect(await listOf(async () => ["a"]).has("a", caller)).toBe(true);
    expect(await listOf(async () => new Array<string>(5_001).fill("a")).has("a", caller)).toBe(false);
    expect(await listOf(() => Promise.reject(new Error("down"))).has("a", caller)).toBe(false);
  });

  it("1,500 texts that are no keys: none", async () => {
    const harness = createHarness();
    const texts = [
      "nobody",
      "sk_local_short",
      `sk_local_${"a".repeat(42)}`,
      `sk_local_${"a".repeat(44)}`,
      `sk_local_${"a".repeat(42)}!`,
      `sk_moon_${"a".repeat(43)}`,
      `sk_production_${"a".repeat(43)}`,
      `zk_local_${"a".repeat(43)}`,
      "a".repeat(8_000),
      "' OR 1=1 --".replaceAll(" ", "/"),
    ];
    const refused = new Set<number>();
    const guess = async (i: number): Promise<Response> => {
      const text = texts[i % texts.length];
      const response =
        i % 3 === 0
          ? await harness.bare(`/v1/topics/orders/events?k=pk_${text}`, { method: "POST", body: "[]" })
          : await harness.request("/v1/topics", { headers: { authorization: `Bearer ${text}` } });
      refused.add(response.status);
      return response;
    };
    expect(await queriesOf(harness, times(guess))).toBe(0);
    expect([...refused]).toEqual([401]);
  });

  it("1,500 preflights: of one unknown origin one, of random origins thirty and one, of what is no origin none", async () => {
    const preflight = (harness: Harness, origin: string): Promise<Response> =>
      harness.bare("/v1/topics/orders/events", {
        method: "OPTIONS",
        headers: { origin, "access-control-request-method": "POST" },
      });
    const one = createHarness();
    expect(
      await queriesOf(
        one,
        times(() => preflight(one, "https://evil.example")),
      ),
    ).toBe(1);
    const many = createHarness();
    expect(
      await queriesOf(
        many,
        times((i) => preflight(many, `https://evil-${i}.example`)),
      ),
    ).toBe(31);
    const over = await preflight(many, "https://another.example");
    expect([over.status, over.headers.get("vary")]).toEqual([429, expect.stringContaining("Origin")]);
    const none = createHarness();
    const texts = ["null", "*", "evil", "https://evil.example/", "HTTPS://EVIL.example", "x".repeat(9_000)];
    expect(
      await queriesOf(
        none,
        times((i) => preflight(none, texts[i % texts.length] ?? "")),
      ),
    ).toBe(0);
  });

  it("1,500 times /readyz: one in five seconds, whether the catalog answers or not", async () => {
    const harness = createHarness();
    const ready = times(() => harness.bare("/readyz", {}));
    expect(await queriesOf(harness, ready)).toBe(1);
    harness.clock.advance(5_000);
    harness.db.setDown(true);
    const before = harness.db.queries();
    const answers = await Promise.all(ready.map((request) => request()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect(harness.db.queries() - before).toBe(1);
    harness.db.setDown(false);
    harness.clock.advance(5_000);
    expect((await harness.bare("/readyz", {})).status).toBe(200);
  });

  it("every other open address: none", async () => {
    const harness = createHarness();
    const paths = [
      "/",
      "/healthz",
      "/docs",
      "/openapi.json",
      "/nothing",
      "/v1/nothing",
      "/registry/nothing",
      "/metrics",
    ];
    expect(
      await queriesOf(
        harness,
        paths.map((path) => () => harness.bare(path, {})),
      ),
    ).toBe(0);
  });
});
