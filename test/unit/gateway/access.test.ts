/** Every call with every scope and with none: what is allowed is what the call's operation declares, and nothing else. */
import { describe, expect, it, test } from "vitest";
import { contracts } from "../../../contracts/registry.ts";
import { guard } from "../../../gateway/access/guard.ts";
import { ACCESSES, type Need } from "../../../gateway/access/need.ts";
import type { Operation } from "../../../gateway/openapi/operation.ts";
import { needOf, operations } from "../../../gateway/openapi/operations.ts";
import { versionSql } from "../../oracle/version-sql.ts";
import { addKey, answer, bearer, createHarness, type Harness, order, reading } from "./harness.ts";
import { land } from "./land.ts";

const ORIGIN = "https://shop.example";
const SCOPES = ["orders", "weather", "dead_letters", "*"].flatMap((topic) =>
  ACCESSES.map((access) => `${topic}:${access}`),
);
/** Keys of one scope, and the pairs that some call needs together. */
const KEYS: readonly (readonly string[])[] = [
  [],
  ...SCOPES.map((scope) => [scope]),
  ["orders:read", "orders:write"],
  ["orders:read", "orders:admin"],
  ["orders:read", "weather:write"],
  ["orders:write", "orders:admin"],
  ["*:read", "*:write"],
  SCOPES,
];

/** Bodies by which calls get past their parameters; they are about the topic orders. */
const BODIES: Readonly<Record<string, object>> = {
  "POST /v1/dead-letters/replay": { topic: "orders" },
  "POST /v1/backfills": { table: "silver_orders", from: "2026-11-20", to: "2026-11-21" },
  "POST /v1/keys": { producer: "x", scopes: ["orders:write"] },
  "POST /v1/parked/retry": { ids: ["q/1"] },
};
const TABLES = ["silver_orders", "silver_ledger"] as const;

/** The declaration, read once more, by somebody who knows nothing of the code that enforces it. */
function expected(need: Need, scopes: readonly string[], table: string): boolean {
  // What dead_letters holds is of every topic: no key of one topic opens it.
  const held = scopes.filter((scope) => scope !== "dead_letters:read");
  const has = (topic: string, access: string) => held.includes(`${topic}:${access}`) || held.includes(`*:${access}`);
  const meets = (topic: string, rights: readonly (readonly string[])[]) =>
    rights.every((group) => group.some((access) => has(topic, access)));
  switch (need.kind) {
    case "open":
      return true;
    case "key":
      return scopes.length === 0 || scopes.some((scope) => scope !== "*:build");
    case "platform":
      return held.includes(`*:${need.access}`);
    case "topic":
      return meets("orders", need.rights);
    case "table":
      return table === "silver_orders" ? meets("orders", need.rights) : meets("*", need.rights);
    case "topics":
      // Some topic is enough, unless the body names one.
      return ["orders", "weather", "dead_letters", "*"].some((topic) => meets(topic, need.rights));
  }
}

function namesOrders(name: string, need: Need, scopes: readonly string[]): boolean {
  if (need.kind !== "topics" || BODIES[name] === undefined) return true;
  return need.rights.every((group) =>
    group.some((access) => scopes.includes(`orders:${access}`) || scopes.includes(`*:${access}`)),
  );
}

function call(
  harness: Harness,
  operation: Operation,
  table: string,
  headers: Record<string, string>,
): Promise<Response> {
  const { method } = operation;
  const path = operation.path
    .replace("{topic}", "orders")
    .replace("{table}", table)
    .replaceAll(/\{(\w+)\}/g, "1");
  if (method !== "POST" && method !== "PUT") return harness.bare(path, { method, headers });
  const body = JSON.stringify(BODIES[`${method} ${operation.path}`] ?? {});
  return harness.bare(path, { method, body, headers: { "content-type": "application/json", ...headers } });
}

/** Called by all operations in turn: what a caller without rights may do leaves nothing behind that another call asks. */
const keyless = createHarness();
const publishable = createHarness();
addKey(publishable.db, "pk_local_".padEnd(52, "0"), SCOPES);
publishable.db.sqlite.exec(
  `UPDATE api_keys SET kind = 'publishable', origins = '["${ORIGIN}"]' WHERE producer LIKE '%pk_%'`,
);

describe.each(operations.map((operation) => [`${operation.method} ${operation.path}`, operation] as const))(
  "%s",
  (name, operation) => {
    const { need } = operation;
    const tables = need.kind === "table" ? TABLES : TABLES.slice(0, 1);

    it("without a key", async () => {
      const { status } = await call(keyless, operation, TABLES[0], {});
      if (need.kind === "open") expect([200, 503]).toContain(status);
      else expect(status).toBe(401);
    });

    it("with a key of every scope", async () => {
      const harness = createHarness();
      for (const [i, scopes] of KEYS.entries()) addKey(harness.db, `key${i}`, scopes);
      for (const [i, scopes] of KEYS.entries()) {
        for (const table of tables) {
          const { status } = await call(harness, operation, table, { authorization: bearer(`key${i}`) });
          const allowed = expected(need, scopes, table) && namesOrders(name, need, scopes);
          expect({ scopes, table, refused: status === 401 || status === 403 }).toEqual({
            scopes,
            table,
            refused: !allowed,
          });
        }
      }
    });

    it("with a publishable key, whatever its row says that it may", async () => {
      const headers = { authorization: `Bearer ${"pk_local_".padEnd(52, "0")}`, origin: ORIGIN };
      const { status } = await call(publishable, operation, TABLES[0], headers);
      const allowed = need.kind === "open" || (need.kind === "topic" && need.publishable === true);
      expect(status === 403).toBe(!allowed);
    });
  },
);

test("only events may be posted by publishable keys, and no operation is open by mistake", () => {
  const named = (kind: (need: Need) => boolean) =>
    operations.filter(({ need }) => kind(need)).map(({ method, path }) => `${method} ${path}`);
  expect(named((need) => need.kind === "topic" && need.publishable === true)).toEqual([
    "POST /v1/topics/{topic}/events",
  ]);
  expect(named(({ kind }) => kind === "open").sort()).toEqual([
    "GET /",
    "GET /docs",
    "GET /healthz",
    "GET /openapi.json",
    "GET /readyz",
  ]);
});

test("a route that no operation describes, and one that stands before auth, answer nobody", async () => {
  expect(() => needOf("GET", "/v1/secrets/:name")).toThrow("GET /v1/secrets/{name}: describe the call");
  const withoutAuth = guard({ kind: "key" });
  // biome-ignore lint/suspicious/noExplicitAny: a context in which nothing was set.
  const context: any = { get: () => undefined, req: { method: "GET", path: "/v1/secrets" } };
  await expect(withoutAuth(context, () => Promise.resolve())).rejects.toThrow("no middleware asked for one");
});

describe("what a key sees of topics that it may not read", () => {
  async function refusedOrder(): Promise<Harness> {
    const harness = createHarness();
    addKey(harness.db, "writer", ["orders:write"]);
    addKey(harness.db, "admin", ["orders:admin"]);
    addKey(harness.db, "triage", ["dead_letters:read", "dead_letters:admin", "weather:read", "weather:write"]);
    addKey(harness.db, "mixed", ["weather:read", "orders:write"]);
    await harness.post("/v1/topics/orders/events", order("secret-1", { currency: "SECRET-CURRENCY" }));
    await harness.post("/v1/topics/orders/events", order("secret-2"));
    await land(harness);
    return harness;
  }

  test("nothing of refused events, through whichever door", async () => {
    const harness = await refusedOrder();
    const all: { dead_letters: { dlq_id: string }[] } = JSON.parse(
      await (await harness.request("/v1/dead-letters?topic=orders")).text(),
    );
    const id = all.dead_letters[0]?.dlq_id ?? "";
    expect(id).not.toBe("");
    for (const name of ["writer", "admin", "triage", "mixed"]) {
      const authorization = bearer(name);
      const get = (path: string) => harness.request(path, { headers: { authorization } });
      const post = (path: string, body: unknown) => harness.post(path, body, { authorization });
      const texts = await Promise.all(
        [
          post("/v1/dead-letters/replay", { topic: "orders" }),
          post("/v1/dead-letters/replay", { dlq_ids: [id] }),
          post("/v1/dead-letters/replay", { dlq_ids: [id], dry_run: false, accept_masked: true }),
          get("/v1/dead-letters"),
          get(`/v1/dead-letters/${id}`),
          get("/v1/topics/dead_letters/events"),
          get(`/v1/events/${id}`),
          get(`/v1/events/${id}?topic=dead_letters`),
          get("/v1/events/secret-1"),
          get("/v1/events/secret-2"),
          get("/v1/topics/orders/events"),
          get("/v1/topics/orders/lag?waiting=true"),
          get("/v1/ledger?by=partition"),
          get("/v1/activity"),
          get("/v1/tables"),
          get("/v1/tables/silver_dead_letters/files"),
          get("/v1/tables/silver_orders/quarantine"),
        ].map(async (response) => (await response).text()),
      );
      const ofOthers = texts.filter((text) =>
        /SECRET|"topic":"orders"|silver_orders|"source_topic"|"payload/.test(text),
      );
      // An operator of orders may know how far they are.
      const lag = name === "admin" ? texts.filter((text) => text.includes('"appended"')) : [];
      expect({ name, ofOthers }).toEqual({ name, ofOthers: lag });
    }
    expect(harness.sent.filter(({ header }) => header.producer.includes("triage"))).toEqual([]);
  });

  test("a replay needs the right to read and the right to bring in, on the same topic", async () => {
    const harness = await refusedOrder();
    addKey(harness.db, "operator", ["orders:read", "orders:admin"]);
    addKey(harness.db, "producer", ["orders:read", "orders:write"]);
    const ask = async (name: string) =>
      await answer(await harness.post("/v1/dead-letters/replay", { topic: "orders" }, { authorization: bearer(name) }));
    expect(await ask("operator")).toMatchObject({ rejected: 1 });
    expect(await ask("producer")).toMatchObject({ rejected: 1 });
    expect(await ask("mixed")).toMatchObject({
      code: "FORBIDDEN",
      detail: 'the key needs the scope "TOPIC:read" and ("TOPIC:write" or "TOPIC:admin")',
    });
    addKey(harness.db, "both", ["weather:read", "weather:write", "orders:write"]);
    expect((await ask("both")).detail).toBe(
      'the key needs the scope "orders:read" and ("orders:write" or "orders:admin")',
    );
  });

  test("lists have what it may read", async () => {
    const harness = createHarness();
    addKey(harness.db, "weather", ["weather:read"]);
    await harness.post("/v1/topics/orders/events", order("o"));
    await harness.post("/v1/topics/weather/events", reading("w"));
    harness.db.sqlite.exec(
      ["silver_orders", "silver_weather", "silver_ledger"]
        .map((table) => versionSql({ table, version: 1, date: "2026-11-20", rows: 10 }))
        .join(""),
    );
    const get = async (path: string, key: string) =>
      JSON.parse(await (await harness.request(path, { headers: { authorization: bearer(key) } })).text());
    expect((await get("/v1/activity", "weather")).topics.map(({ topic }: { topic: string }) => topic)).toEqual([
      "weather",
    ]);
    const names = ({ tables }: { tables: { table_name: string }[] }) =>
      tables.map(({ table_name }) => table_name).sort();
    expect(names(await get("/v1/tables", "weather"))).toEqual(["silver_weather"]);
    expect(names(await get("/v1/tables", "local-dev-key"))).toEqual([
      "silver_ledger",
      "silver_orders",
      "silver_weather",
    ]);
    expect((await get("/v1/activity", "local-dev-key")).topics).toHaveLength(contracts.length);
  });
});
