/** Lines that are cut, platforms that are busy, leases that are lost, and rows that fail: what a builder does, and what it tells. */
import { createHash } from "node:crypto";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { orderOf } from "../../oracle/builder-platform.ts";
import { inputFile, newFolder, parquetOf, removeFolders, rowsOf, runOrders } from "./built.ts";

afterAll(removeFolders);

/** A table of random texts, which no compression makes small. */
const source = await parquetOf("SELECT i::INTEGER AS a, md5(i::VARCHAR) AS t FROM range(20000) t(i)");
const objects = new Map([["in", source]]);
const reads = (over: Parameters<typeof orderOf>[0] = {}) =>
  orderOf({
    sql: "SELECT count(*), min(t) FROM silver_things",
    inputs: [
      {
        table: "silver_things",
        columns: [
          { name: "a", type: "INTEGER" },
          { name: "t", type: "VARCHAR" },
        ],
        files: [inputFile("in", source, 20_000)],
      },
    ],
    ...over,
    output: {
      columns: [
        { name: "a", type: "INTEGER" },
        { name: "t", type: "VARCHAR" },
      ],
      ...over.output,
    },
  });
/** A SELECT that takes minutes. */
const ENDLESS =
  "SELECT count(*)::INTEGER FROM range(100000000) a(i) JOIN range(100000000) b(j) ON a.i = b.j WHERE hash(a.i, b.j) % 7 = 1";

describe("inputs", () => {
  test("that are cut are gone on with, of the same version, byte by byte the same", async () => {
    const ranges: (string | undefined)[] = [];
    const order = reads();
    const { platform, events } = await runOrders([order], {
      objects,
      intercept: ({ name, nth, headers }) => {
        if (name !== "GET inputs") return undefined;
        ranges.push(headers.range);
        if (nth > 0) expect(headers["if-match"]).toBe(`"${createHash("md5").update(source).digest("hex")}"`);
        return nth < 3 ? { cutAfter: 100_000 } : undefined;
      },
    });
    expect(events).toMatchObject([{ outcome: "published", bytes_fetched: source.length }]);
    expect(ranges[0]).toBeUndefined();
    expect(ranges.at(-1)).toMatch(/^bytes=[1-9]\d*-$/);
    expect(await rowsOf(platform.outputs.get(`${order.run}/0`))).toMatchObject([{ a: 20_000 }]);
  });

  test("whose version changed are read from the beginning", async () => {
    const { events } = await runOrders([reads()], {
      objects,
      intercept: ({ name, nth }) =>
        name !== "GET inputs" ? undefined : nth === 0 ? { cutAfter: 50_000 } : nth === 1 ? { status: 412 } : undefined,
    });
    expect(events).toMatchObject([{ outcome: "published" }]);
  });

  test("whose bytes are not those of their etag, or of another length, fail the build, and nothing of them is kept", async () => {
    const other = Uint8Array.from(source);
    other[1_000] = (other[1_000] ?? 0) ^ 1;
    const etag = `"${createHash("md5").update(source).digest("hex")}"`;
    for (const body of [other, source.subarray(0, -1)]) {
      const { platform, events, dir } = await runOrders([reads()], {
        objects,
        intercept: ({ name }) => (name === "GET inputs" ? { status: 200, headers: { etag }, bytes: body } : undefined),
      });
      expect(events).toMatchObject([{ outcome: "failed" }]);
      expect(platform.failures).toMatchObject([{ class: "system", message: expect.stringContaining("an input") }]);
      expect(readdirSync(join(dir, "inputs"))).toEqual([]);
    }
  });

  test("are kept for the next build, up to the bound, and a half file of an earlier process is not gone on with", async () => {
    const dir = newFolder();
    const first = await runOrders([reads()], { objects, builder: { dir } });
    expect(first.events).toMatchObject([{ bytes_fetched: source.length }]);
    const [name = ""] = readdirSync(join(dir, "inputs"));
    writeFileSync(join(dir, "inputs", `${name}.part`), "half");
    // The double of the second run is another platform: what its keys name may be another file.
    const second = await runOrders([reads(), reads()], { objects, builder: { dir } });
    expect(second.events).toMatchObject([{ bytes_fetched: source.length }, { bytes_fetched: 0 }]);
    expect(readdirSync(join(dir, "inputs"))).toHaveLength(2);
    const small = await runOrders([reads(), orderOf({})], { objects, builder: { dir, cacheBytes: 1_000 } });
    expect(small.events).toMatchObject([{ outcome: "published" }, { outcome: "published" }]);
    expect(readdirSync(join(dir, "inputs"))).toEqual([]);
  });

  test("that are damaged on this machine's disk are let go", async () => {
    const dir = newFolder();
    let damaged = false;
    const { platform, events } = await runOrders([reads(), reads()], {
      objects,
      builder: { dir },
      onCall({ name }) {
        if (name !== "POST lease" || damaged) return;
        for (const file of readdirSync(join(dir, "inputs"))) {
          writeFileSync(join(dir, "inputs", file), new Uint8Array(source.length));
          damaged = true;
        }
      },
    });
    expect(events.map(({ outcome }) => outcome)).toEqual(["published", "failed"]);
    expect(platform.failures).toMatchObject([{ class: "system" }]);
    expect(platform.failures[0]?.message).not.toContain(dir);
    expect(readdirSync(join(dir, "inputs"))).toEqual([]);
  });
});

describe("outputs", () => {
  test("that are cut off are sent again, and a commit whose answer is lost is asked again", async () => {
    const order = orderOf({ sql: "SELECT i FROM range(1000) t(i)" });
    const { platform, events } = await runOrders([order], {
      intercept: ({ name, nth }) => {
        if (name === "PUT outputs/0")
          return nth === 0 ? { cutAfter: 0 } : nth === 1 ? { cutAfter: 0, done: true } : undefined;
        return name === "POST commit" && nth === 0 ? { status: 503, headers: { "retry-after": "0" } } : undefined;
      },
    });
    expect(events).toMatchObject([{ outcome: "published" }]);
    expect(platform.calls.filter((name) => name === "PUT outputs/0")).toHaveLength(3);
    expect(platform.commits).toHaveLength(1);
    expect(platform.violations).toEqual([]);
  });

  test("that are longer than a request may be go up in parts", async () => {
    const columns = ["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => ({ name, type: "DOUBLE" }));
    const order = orderOf({
      sql: `SELECT ${columns.map(() => "random()").join(", ")} FROM range(1200000)`,
      output: { columns, order: [], file_bytes: 200_000_000 },
    });
    const { platform, events } = await runOrders([order], { builder: { threads: 1 } });
    expect(platform.violations).toEqual([]);
    expect(events).toMatchObject([{ outcome: "published", rows_out: 1_200_000, files_out: 1 }]);
    expect(events[0]?.bytes_out).toBeGreaterThan(64 * 1024 * 1024);
    expect(platform.calls.filter((name) => name === "POST outputs/0/open")).toHaveLength(1);
    expect(platform.calls.filter((name) => name === "PUT outputs/0")).toHaveLength(2);
    expect(platform.outputs.get(`${order.run}/0`)).toHaveLength(events[0]?.bytes_out ?? 0);
  });
});

describe("a lease", () => {
  test("is renewed beside the work, with the phase; lost, it ends the work at once, and nothing more is sent", async () => {
    const order = orderOf({ sql: ENDLESS, renew_every_ms: 100 });
    const { platform, events } = await runOrders([order], {
      with: (double) => setTimeout(() => double.loseLease(order.run), 1_000),
    });
    expect(platform.renewals.length).toBeGreaterThan(1);
    expect(platform.renewals.at(-1)).toMatchObject({ phase: "run" });
    expect(events).toMatchObject([{ outcome: "lost" }]);
    expect(events[0]?.total_ms).toBeLessThan(5_000);
    expect([platform.failures, platform.commits, platform.outputs.size]).toEqual([[], [], 0]);
  });

  test("goes back when the builder is told to stop", async () => {
    const order = orderOf({ sql: ENDLESS });
    const { platform, events, error, dir } = await runOrders([order, orderOf({})], {
      with: (_, stop) => setTimeout(() => stop.abort(), 1_000),
    });
    expect(error).toBeUndefined();
    expect(events).toMatchObject([{ outcome: "released" }]);
    expect(platform.failures).toMatchObject([{ run: order.run, class: "released" }]);
    expect(readdirSync(dir)).toEqual(["inputs"]);
  });

  test("whose answer was lost is asked for again, and a platform that is busy is waited for", async () => {
    const { platform, events } = await runOrders([orderOf({})], {
      intercept: ({ name, nth }) =>
        name !== "POST lease"
          ? undefined
          : nth === 0
            ? { cutAfter: 0, done: true }
            : nth === 1
              ? { status: 503 }
              : undefined,
    });
    expect(events).toMatchObject([{ outcome: "published" }]);
    expect(new Set(platform.builders.map(({ id }) => id)).size).toBe(1);
  });

  test("renewals that get no answer do not end the work", async () => {
    const order = orderOf({
      sql: "SELECT count(*)::INTEGER FROM range(3000000) a(i) JOIN range(3000000) b(j) ON a.i = b.j",
      renew_every_ms: 20,
    });
    const { events } = await runOrders([order], {
      intercept: ({ name }) => (name === "POST renew" ? { cutAfter: 0 } : undefined),
    });
    expect(events).toMatchObject([{ outcome: "published" }]);
  });
});

describe("a key", () => {
  test("that the platform does not take ends the builder", async () => {
    const { error, events } = await runOrders([orderOf({})], { builder: { key: "another" } });
    expect(error).toMatchObject({ name: "RefusedError", status: 401 });
    expect(events).toEqual([]);
  });

  test("that is revoked in the middle ends the build and the builder", async () => {
    const order = orderOf({ sql: ENDLESS, renew_every_ms: 100 });
    const { error, events, platform } = await runOrders([order], {
      intercept: ({ name, nth }) =>
        name === "POST renew" && nth > 2 ? { status: 401, code: "UNAUTHENTICATED" } : undefined,
    });
    expect(error).toMatchObject({ name: "RefusedError", status: 401 });
    expect(events).toMatchObject([{ outcome: "failed" }]);
    expect(platform.outputs.size).toBe(0);
  });
});

describe("another version", () => {
  test("of the protocol ends the builder, before anything else of the order is read", async () => {
    const { error } = await runOrders([], {
      intercept: ({ name }) =>
        name === "POST lease" ? { status: 200, body: { work: { protocol: 2, other: 1 } } } : undefined,
    });
    expect(error).toMatchObject({ name: "OtherVersionError", message: expect.stringContaining("protocol 2") });
  });

  test("of DuckDB ends the builder, and the partition waits for another one", async () => {
    const { error, platform } = await runOrders([orderOf({ duckdb: "v2.0.0" })]);
    expect(error).toMatchObject({ name: "OtherVersionError", message: expect.stringContaining("DuckDB v2.0.0") });
    expect(platform.failures).toMatchObject([{ class: "released" }]);
  });

  test("an address that is no platform's ends the builder", async () => {
    const { error } = await runOrders([], {
      intercept: ({ name }) => (name === "POST lease" ? { status: 200, body: "hello" } : undefined),
    });
    expect(error).toMatchObject({ name: "OtherVersionError" });
  });
});

describe("SQL that fails", () => {
  const failing: readonly (readonly [string, string, "data" | "system", RegExp])[] = [
    ["a cast", "SELECT CAST('private ' || i AS INTEGER) FROM range(3) t(i)", "data", /a text cannot be cast to INT32/],
    ["an overflow", "SELECT 9223372036854775800 + i FROM range(30) t(i)", "data", /an addition of INT64 overflows/],
    [
      "a cast of the output",
      "SELECT 3000000000 + i FROM range(3) t(i)",
      "data",
      /a value of INT64 is out of INT32's range/,
    ],
    [
      "its own words",
      "SELECT error('private ' || i) FROM range(3) t(i)",
      "data",
      /cannot be computed \(Invalid Input Error\)/,
    ],
    ["a table that is not there", "SELECT * FROM silver_absent", "data", /silver_absent/],
    ["several statements", "SELECT 1; SELECT 2", "system", /2 statements/],
    ["no SELECT", "CREATE TABLE x (a INTEGER)", "system", /no SELECT/],
    ["a file of this machine", "SELECT content FROM read_text('/etc/hostname')", "data", /Permission Error/],
    ["other columns", "SELECT 1, 2", "data", /2 columns, the table has 1/],
    ["too many rows", "SELECT i FROM range(11) t(i)", "data", /11 rows, and may give 10/],
  ];
  test.each(failing)("%s is told by its class, and quotes no value", async (_, sql, failureClass, message) => {
    const order = orderOf({ sql, output: { max_rows: 10 } });
    const { platform, events } = await runOrders([order, orderOf({})]);
    expect(platform.failures).toMatchObject([{ class: failureClass, message: expect.stringMatching(message) }]);
    expect(platform.failures[0]?.message).not.toContain("private");
    expect(events).toMatchObject([{ outcome: "failed" }, { outcome: "published" }]);
  });

  test("for want of memory says so, and the next build has all of it", async () => {
    const greedy = "SELECT len(list(i || 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'))::INTEGER FROM range(20000000) t(i)";
    const { platform, events } = await runOrders([orderOf({ sql: greedy }), orderOf({})], {
      builder: { memoryBytes: 128_000_000 },
    });
    expect(platform.failures).toMatchObject([{ class: "system", message: expect.stringContaining("--memory") }]);
    expect(events).toMatchObject([{ outcome: "failed" }, { outcome: "published" }]);
  });
});
