/** A native builder's partition from its lease to its commit, over the calls that it makes. */
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test, vi } from "vitest";
import { NATIVE_LEASE_MS } from "../../../../../lakehouse/builds/native/wire.ts";
import { stagedPlaces } from "../../../../../lakehouse/tables/staged-places.ts";
import { buryAbandoned } from "../../../../../lakehouse/upkeep/retention/bury-abandoned.ts";
import { nativeWork } from "../../../../../sql/statements/native-waiting.ts";
import { loadParquetWasm } from "../../../../../tools/build/parquet-wasm-node.ts";
import { Lake, tableOf } from "../../../../oracle/lake.ts";
import { type Built, NativeBuilder, nativeGateway, type Send } from "../../../../oracle/native-builder.ts";
import { landOrders } from "../../../../oracle/order-models.ts";

beforeAll(() => loadParquetWasm());

const NOON = Date.UTC(2026, 10, 21, 12);
const DAY = "2026-11-21";
const DOMAIN = "daily_order_revenue";
const BUILDER_KEY = "sk_local_".padEnd(52, "b");
const OTHER_KEY = "sk_local_".padEnd(52, "c");

interface Opened {
  readonly lake: Lake;
  readonly send: Send;
  readonly other: Send;
  readonly builder: NativeBuilder;
}

/** A lake with orders in silver, whose gold goes to native builders. */
async function opened(orders: readonly { id: number; amount: number }[] = ORDERS): Promise<Opened> {
  const lake = new Lake(NOON, undefined, undefined, RELEASED);
  native(lake);
  for (const key of [BUILDER_KEY, OTHER_KEY]) {
    const hash = createHash("sha256").update(key).digest("hex");
    await lake.d1.binding.batch([
      lake.d1.binding.prepare("INSERT INTO producers VALUES (?, '2026-01-01T00:00:00Z')").bind(key),
      lake.d1.binding
        .prepare(
          `INSERT INTO api_keys (key_hash, producer, scopes, created_at) VALUES (?, ?, '["*:build"]', '2026-01-01T00:00:00Z')`,
        )
        .bind(hash, key),
    ]);
  }
  await landOrders(lake, orders);
  await lake.settle();
  const gateway = await nativeGateway(lake);
  const send = gateway(BUILDER_KEY);
  return { lake, send, other: gateway(OTHER_KEY), builder: new NativeBuilder(send) };
}

const RELEASED = "2026-11-01T00:00:00.000Z";
const ORDERS = Array.from({ length: 30 }, (_, id) => ({ id, amount: 100 + id * 7 }));

function native(lake: Lake, domain = DOMAIN): void {
  lake.d1.rows(
    `INSERT INTO native_partitions VALUES (?, ?, 'a test', '2026-11-21T00:00:00Z') RETURNING 1`,
    domain,
    DAY,
  );
}

const meta = (lake: Lake) =>
  lake.d1.rows<{ status: string; retry_count: number; error_message: string | null }>(
    "SELECT status, retry_count, error_message FROM partition_meta WHERE domain = ? AND partition_date = ?",
    DOMAIN,
    DAY,
  )[0];
const published = (lake: Lake) =>
  lake.d1.rows<{ version: number; rows: number }>("SELECT version, rows FROM published WHERE table_name = ?", DOMAIN);
const rows = (lake: Lake) => lake.query(`SELECT * FROM ${DOMAIN} ORDER BY ALL`);
const code = async (response: Response) => {
  const text = await response.text();
  const body: { code?: string } = text === "" ? {} : JSON.parse(text);
  return `${response.status} ${body.code ?? ""}`.trim();
};

describe("a native build", () => {
  test("gives the rows, the checks and the pointer that the edge's build of the same model gives", async () => {
    const { lake, builder } = await opened();
    expect(meta(lake)?.status).toBe("PENDING");
    expect(await builder.all()).toEqual({ outcome: "published", message: null });
    expect(meta(lake)).toEqual({ status: "DONE", retry_count: 0, error_message: null });

    const edge = new Lake(NOON, undefined, undefined, RELEASED);
    await landOrders(edge, ORDERS);
    await edge.settle();
    expect(await rows(lake)).toEqual(await rows(edge));
    expect((await rows(lake)).length).toBeGreaterThan(1);
    const digest = (each: Lake) =>
      each.d1.rows("SELECT rows, rows_added, complete_through, generation FROM versions WHERE table_name = ?", DOMAIN);
    expect(digest(lake)).toEqual(digest(edge));
    const checks = (each: Lake) =>
      each.d1.rows(
        "SELECT layer, check_name, metric, measured, bound, passed, on_fail FROM check_history WHERE table_name = ? ORDER BY 1, 2",
        DOMAIN,
      );
    expect(checks(lake)).toEqual(checks(edge));
    expect(checks(lake)).not.toEqual([]);
    const bounds = (each: Lake) =>
      each.d1
        .rows<{ stats: string }>("SELECT stats FROM data_files WHERE table_name = ? AND removed IS NULL", DOMAIN)
        .map(({ stats }) => JSON.parse(stats));
    expect(bounds(lake)).toEqual(bounds(edge));
  });

  test("is asked for anew by what comes later, and reads only what its order names", async () => {
    const { lake, builder, send } = await opened();
    await builder.all();
    await landOrders(lake, [{ id: 99, amount: 5 }]);
    await lake.settle();
    const order = await builder.order();
    const own = order.inputs.flatMap(({ files }) => files.map(({ file }) => file));
    expect(own.length).toBeGreaterThan(1);
    expect(order).toMatchObject({
      table: DOMAIN,
      date: DAY,
      output: { partition: null, metadata: { "sluice.run": order.run } },
    });
    for (const file of [
      "silver/orders/current.json",
      `gold/${DOMAIN}/current.json`,
      `../${own[0]}`,
      `${own[0]}/`,
      "",
    ]) {
      const response = await send(`/v1/builds/runs/${order.run}/inputs?file=${encodeURIComponent(file)}`);
      expect(await code(response)).toMatch(/^(404 NOT_AN_INPUT|400 INVALID_PARAMETER)$/);
    }
    const built = await builder.build(order);
    await builder.upload(order, built);
    expect(await builder.commit(order, built)).toMatchObject({ outcome: "published" });
    expect(published(lake)).toHaveLength(1);
  });

  test("is work for a container from when it waits until it has ended, while it is built too", async () => {
    const { lake, builder } = await opened();
    const { binding } = lake.d1;
    expect(await nativeWork(binding, { all: [], sent: [DOMAIN] })).toBe(1);
    const order = await builder.order();
    expect(await nativeWork(binding, { all: [], sent: [DOMAIN] })).toBe(1);
    const built = await builder.build(order);
    await builder.upload(order, built);
    await builder.commit(order, built);
    expect(await nativeWork(binding, { all: [], sent: [DOMAIN] })).toBe(0);
  });

  test("begins with no message: the queue is asked for nothing", async () => {
    const lake = new Lake(NOON, undefined, undefined, RELEASED);
    native(lake);
    await landOrders(lake, ORDERS);
    const built = await lake.settle();
    expect(built.filter((each) => each.startsWith(DOMAIN))).toEqual([]);
    // A message from before it went to native builders builds nothing.
    expect(await lake.build(tableOf(DOMAIN), DAY, undefined, "older")).toEqual({ kind: "not_needed" });
    const at = () => lake.d1.rows("SELECT queued_at FROM partition_leases WHERE domain = ?", DOMAIN);
    const before = at();
    lake.now += 600_000;
    await lake.plan();
    expect(at()).toEqual(before);
  });
});

describe("a file by ranges", () => {
  test("is answered as HTTP says, and only as long as it is the same", async () => {
    const { lake, builder, send } = await opened();
    const order = await builder.order();
    const file = order.inputs[0]?.files[0]?.file ?? "";
    const whole = lake.bucket.bytesOf(file);
    const path = `/v1/builds/runs/${order.run}/inputs?file=${encodeURIComponent(file)}`;
    const all = await send(path);
    expect(all.headers.get("content-length")).toBe(String(whole.byteLength));
    const etag = all.headers.get("etag") ?? "";
    for (const [range, from, to] of [
      ["bytes=0-9", 0, 10],
      ["bytes=10-", 10, whole.byteLength],
      ["bytes=-8", whole.byteLength - 8, whole.byteLength],
      ["bytes=5-99999999", 5, whole.byteLength],
    ] as const) {
      const response = await send(path, { headers: { range, "if-match": etag } });
      expect(response.status).toBe(206);
      expect(response.headers.get("content-range")).toBe(`bytes ${from}-${to - 1}/${whole.byteLength}`);
      expect(new Uint8Array(await response.arrayBuffer())).toEqual(whole.slice(from, to));
    }
    expect(await code(await send(path, { headers: { range: `bytes=${whole.byteLength}-` } }))).toBe(
      "416 RANGE_NOT_SATISFIABLE",
    );
    expect(await code(await send(path, { headers: { range: "bytes=9-5" } }))).toBe("416 RANGE_NOT_SATISFIABLE");
    expect(await code(await send(path, { headers: { range: "bytes=0-1,4-5" } }))).toBe("400 INVALID_PARAMETER");
    expect(await code(await send(path, { headers: { "if-match": '"other"' } }))).toBe("412 INPUT_CHANGED");
    lake.bucket.objects.delete(file);
    expect(await code(await send(path))).toBe("410 INPUT_GONE");
  });
});

describe("bytes of files", () => {
  test("pass through: neither a body nor an object is read by the platform", async () => {
    const { lake, builder, send } = await opened();
    const order = await builder.order();
    const file = order.inputs[0]?.files[0]?.file ?? "";
    let pulled = 0;
    const endless = () =>
      new ReadableStream({
        pull(controller) {
          pulled += 1_000_000;
          controller.enqueue(new Uint8Array(1_000_000));
        },
      });
    // What is put is the request's own stream, of which the bucket reads what it likes.
    const put = vi.spyOn(lake.bucket, "put").mockImplementation(async (key, value) => {
      if (!(value instanceof ReadableStream)) throw new TypeError("a body was read");
      const reader = value.getReader();
      await reader.read();
      void reader.cancel();
      const stands = await lake.bucket.head(file);
      if (stands === null) throw new Error(`${key} is asked for, and ${file} stands`);
      return Object.assign(stands, { size: 60_000_000 });
    });
    const init = Object.assign(
      { method: "PUT", body: endless(), headers: { "content-length": "60000000" } },
      { duplex: "half" },
    );
    expect((await send(`/v1/builds/runs/${order.run}/outputs/0`, init)).status).toBe(200);
    put.mockRestore();
    expect(pulled).toBeLessThan(5_000_000);

    const real = lake.bucket.get.bind(lake.bucket);
    pulled = 0;
    vi.spyOn(lake.bucket, "get").mockImplementation(async (key, options) => {
      const object = await real(key, options);
      if (key !== file) return object;
      return Object.defineProperty(object, "body", { value: endless() });
    });
    const response = await send(`/v1/builds/runs/${order.run}/inputs?file=${encodeURIComponent(file)}`);
    expect(response.status).toBe(200);
    expect(pulled).toBeLessThan(5_000_000);
    await response.body?.cancel();
    vi.restoreAllMocks();
  });
});

describe("a builder that says what is not so", () => {
  const lies: readonly (readonly [string, (built: Built) => Built, RegExp])[] = [
    [
      "of rows",
      ({ files: [file], measures }) => ({ files: [{ ...file!, rows: 1_000 }], measures }),
      /has \d+ rows, and its builder said 1000/,
    ],
    [
      "of a file that it did not send",
      ({ files, measures }) => ({ files: [...files, ...files], measures }),
      /file 1 of the build was not uploaded/,
    ],
    [
      "of a check's rows",
      ({ files, measures }) => ({ files, measures: measures.map((each) => ({ ...each, of: 1_000 })) }),
      /was measured over 1000 rows/,
    ],
    [
      "of a check that nobody asked for",
      ({ files, measures }) => ({ files, measures: measures.slice(1) }),
      /measures for/,
    ],
  ];
  test.each(lies)("%s publishes nothing, and the partition says why", async (_, lie, reason) => {
    const { lake, builder } = await opened();
    const order = await builder.order();
    const built = await builder.build(order);
    await builder.upload(order, built);
    const answer = await builder.commit(order, lie(built));
    expect(answer).toMatchObject({ outcome: "failed", message: expect.stringMatching(reason) });
    expect(meta(lake)).toMatchObject({ status: "FAILED", error_message: expect.stringMatching(reason) });
    expect(published(lake)).toEqual([]);
    // What fails so may heal: it is tried again.
    lake.now += 10_000;
    await lake.plan();
    expect(await builder.all()).toMatchObject({ outcome: "published" });
  });

  test.each([
    ["rows of another date", "SELECT * REPLACE (event_date + 1 AS event_date) FROM result", /rows of other dates/],
    ["another column", "SELECT *, 1 AS more FROM result", /has the columns .*more; the table has/],
    ["columns in another order", "SELECT * EXCLUDE (event_date), event_date FROM result", /has the columns/],
    [
      "another type",
      "SELECT * REPLACE (CAST(event_date AS VARCHAR) AS event_date) FROM result",
      /utf8 in the column event_date, which is date/,
    ],
    [
      "a type of DuckDB alone",
      "SELECT * REPLACE (CAST(12 AS UBIGINT) AS currency) FROM result",
      /no Parquet file of the table|in the column currency/,
    ],
  ])("files with %s are not published", async (_, sql, reason) => {
    const { lake, builder } = await opened();
    const order = await builder.order();
    const built = await builder.build(order, sql).catch(async () => {
      // Checks of columns that are others cannot be measured: the files are looked at first.
      const good = await builder.build(order);
      return {
        ...(await builder.build({ ...order, checks: [], output: { ...order.output, order: [] } }, sql)),
        measures: good.measures,
      };
    });
    await builder.upload(order, built);
    expect(await builder.commit(order, built)).toMatchObject({
      outcome: "failed",
      message: expect.stringMatching(reason),
    });
    expect(published(lake)).toEqual([]);
  });

  test("bytes that are no Parquet, or cut off, are not published", async () => {
    const cuts: readonly ((bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>)[] = [
      (bytes) => bytes.slice(0, -20),
      () => Uint8Array.from(Buffer.from("PAR1, or not")),
      (bytes) => bytes.slice(0, 3),
      // The footer says that it is as long as the file.
      (bytes) => {
        const changed = bytes.slice();
        new DataView(changed.buffer).setUint32(changed.length - 8, changed.length - 12, true);
        return changed;
      },
    ];
    for (const cut of cuts) {
      const { lake, builder } = await opened();
      const order = await builder.order();
      const { files, measures } = await builder.build(order);
      const built = { files: files.map(({ bytes, rows: count }) => ({ bytes: cut(bytes), rows: count })), measures };
      await builder.upload(order, built);
      expect(await builder.commit(order, built)).toMatchObject({
        outcome: "failed",
        message: expect.stringMatching(/no Parquet file/),
      });
      expect(published(lake)).toEqual([]);
    }
  });
});

describe("a check that holds the rows back", () => {
  test("fails the partition with the data's class, as the edge's gate does, and the version before stays", async () => {
    const { lake, builder } = await opened();
    await builder.all();
    await landOrders(lake, [{ id: 100, amount: 1 }]);
    await lake.settle();
    const order = await builder.order();
    const built = await builder.build(order);
    await builder.upload(order, built);
    const id = order.checks.find((check) => check.id.includes("key"))?.id;
    const worse = { ...built, measures: built.measures.map((each) => (each.id === id ? { ...each, rows: 1 } : each)) };
    const answer = await builder.commit(order, worse);
    expect(answer).toMatchObject({
      outcome: "failed",
      message: expect.stringMatching(/^QualityGateError: QUALITY_GATE/),
    });
    expect(await builder.commit(order, worse)).toEqual(answer);
    expect(meta(lake)?.status).toBe("FAILED");
    expect(published(lake)).toEqual([{ version: 1, rows: expect.any(Number) }]);
    expect(lake.d1.rows("SELECT failure_class FROM partition_leases WHERE domain = ?", DOMAIN)).toEqual([
      { failure_class: "data" },
    ]);
    expect(await builder.lease()).toMatchObject({ work: null });
  });
});

describe("the addresses of a run", () => {
  test("are its key's alone, and of outputs that it may have", async () => {
    const { builder, other, send } = await opened();
    const order = await builder.order();
    const built = await builder.build(order);
    const stranger = new NativeBuilder(other);
    const bytes = built.files[0]!.bytes;
    expect(await code(await stranger.renew(order))).toBe("404 UNKNOWN_RUN");
    expect(await code(await stranger.put(order, 0, bytes))).toBe("404 UNKNOWN_RUN");
    expect(await code(await stranger.post(`/v1/builds/runs/${order.run}/commit`, stranger.commitBody(built)))).toBe(
      "404 UNKNOWN_RUN",
    );
    expect(await code(await stranger.fail(order, { class: "released", message: "x" }))).toBe("404 UNKNOWN_RUN");
    for (const n of ["-1", "800", "1.5", "0x1", "..%2f0", "00"])
      expect(await code(await builder.put(order, n, bytes))).toBe("400 INVALID_PARAMETER");
    expect(await code(await builder.put({ ...order, run: "../../x" }, 0, bytes))).toMatch(/^404/);
    const path = `/v1/builds/runs/${order.run}/outputs/0`;
    const put = (length: string | undefined) =>
      send(path, { method: "PUT", body: bytes, headers: length === undefined ? {} : { "content-length": length } });
    expect(await code(await put(undefined))).toBe("400 INVALID_PARAMETER");
    expect(await code(await put("67108865"))).toBe("413 BODY_TOO_LARGE");
    expect(await code(await builder.put(order, 0, bytes, "?part=1"))).toBe("400 INVALID_PARAMETER");
  });

  test("take a file once, and its parts joined", async () => {
    const { lake, builder, send } = await opened();
    const order = await builder.order();
    const built = await builder.build(order);
    const { bytes } = built.files[0]!;
    const opening = await builder.post(`/v1/builds/runs/${order.run}/outputs/0/open`, {});
    const { upload }: { upload: string } = JSON.parse(await opening.text());
    const half = Math.floor(bytes.byteLength / 2);
    const parts: { part: number; etag: string }[] = [];
    for (const [i, part] of [bytes.slice(0, half), bytes.slice(half)].entries()) {
      const answer = await builder.put(order, 0, part, `?upload=${upload}&part=${i + 1}`);
      const { etag }: { etag: string } = JSON.parse(await answer.text());
      parts.push({ part: i + 1, etag });
    }
    const join = () => builder.post(`/v1/builds/runs/${order.run}/outputs/0/join`, { upload, parts });
    expect(await (await join()).json()).toMatchObject({ bytes: bytes.byteLength });
    // The answer was lost.
    expect(await (await join()).json()).toMatchObject({ bytes: bytes.byteLength });
    expect((await builder.put(order, 0, bytes)).status).toBe(200);
    expect(await code(await builder.put(order, 0, bytes.slice(1)))).toBe("409 OUTPUT_EXISTS");
    // Of another file's upload it is none.
    expect(
      await code(
        await send(`/v1/builds/runs/${order.run}/outputs/1?upload=${upload}&part=1`, {
          method: "PUT",
          body: bytes,
          headers: { "content-length": String(bytes.byteLength) },
        }),
      ),
    ).toBe("503 LAKE_UNAVAILABLE");
    // What the commit does not name goes.
    await builder.put(order, 7, bytes);
    expect(await builder.commit(order, built)).toMatchObject({ outcome: "published" });
    expect(
      lake.d1.rows<{ object: string }>("SELECT object FROM tombstones ORDER BY object").map(({ object }) => object),
    ).toEqual([
      `gold/${DOMAIN}/event_date=${DAY}/${order.run}-7.parquet`,
      `gold/${DOMAIN}/metadata/orders/${DAY}/${order.run}.json`,
    ]);
  });
});

describe("leases", () => {
  test("of a builder that is gone end, and another one gets the partition; the first publishes nothing", async () => {
    const { lake, builder, send } = await opened();
    const order = await builder.order();
    const built = await builder.build(order);
    await builder.upload(order, built);
    const second = new NativeBuilder(send);
    expect(await second.lease()).toMatchObject({ work: null });
    lake.now += NATIVE_LEASE_MS + 1;
    const next = await second.order();
    expect(next.run).not.toBe(order.run);
    expect(meta(lake)).toMatchObject({ status: "IN_FLIGHT", retry_count: 1 });
    expect(await code(await builder.renew(order))).toBe("409 LEASE_LOST");
    expect(await code(await builder.put(order, 1, built.files[0]!.bytes))).toBe("409 LEASE_LOST");
    expect(await code(await builder.post(`/v1/builds/runs/${order.run}/commit`, builder.commitBody(built)))).toBe(
      "409 LEASE_LOST",
    );
    expect(await code(await builder.fail(order, { class: "data", message: "x" }))).toBe("409 LEASE_LOST");
    const again = await second.build(next);
    await second.upload(next, again);
    expect(await second.commit(next, again)).toMatchObject({ outcome: "published" });
    expect(published(lake)).toHaveLength(1);
    expect(meta(lake)).toMatchObject({ status: "DONE", retry_count: 0 });
    // A day later what the first one uploaded, and its order, are found.
    const bury = await buryAbandoned(
      { db: lake.d1.binding, bucket: lake.bucket, places: stagedPlaces },
      lake.now + 2 * 86_400_000,
    );
    expect(bury).toMatchObject({ runs: 1, files: 2 });
  });

  test("stand as long as they are renewed, and once more where nobody took them", async () => {
    const { lake, builder } = await opened();
    const order = await builder.order();
    for (let i = 0; i < 10; i++) {
      lake.now += NATIVE_LEASE_MS - 1_000;
      expect((await builder.renew(order)).status).toBe(204);
    }
    expect(lake.d1.rows("SELECT phase, done FROM native_runs")).toEqual([{ phase: "run", done: 0.5 }]);
    lake.now += NATIVE_LEASE_MS + 5_000;
    expect((await builder.renew(order)).status).toBe(204);
    await lake.plan();
    expect(meta(lake)?.status).toBe("IN_FLIGHT");
  });

  test("are answered with the same order where the answer was lost", async () => {
    const { lake, builder } = await opened();
    const order = await builder.order();
    expect(await builder.order()).toEqual(order);
    const built = await builder.build(order);
    await builder.upload(order, built);
    expect(await builder.commit(order, built)).toEqual(await builder.commit(order, built));
    expect(published(lake)).toHaveLength(1);
    expect(await builder.lease()).toMatchObject({ work: null });
  });

  test("that are given back count no retry, and the next builder gets the partition at once", async () => {
    const { lake, builder, send } = await opened();
    const order = await builder.order();
    expect((await builder.fail(order, { class: "released", message: "Ctrl-C" })).status).toBe(204);
    expect((await builder.fail(order, { class: "released", message: "Ctrl-C" })).status).toBe(204);
    expect(meta(lake)).toMatchObject({ status: "PENDING", retry_count: 0 });
    expect(await new NativeBuilder(send).all()).toMatchObject({ outcome: "published" });
    expect(lake.d1.rows("SELECT status, error_message FROM ended_runs WHERE run_id = ?", order.run)).toEqual([
      { status: "LOST", error_message: "Ctrl-C" },
    ]);
  });

  test("that fail say so on the partition: of the data until something is new, of the system until later", async () => {
    const { lake, builder } = await opened();
    const order = await builder.order();
    await builder.fail(order, { class: "system", message: "the disk is full: give --dir more room" });
    expect(meta(lake)).toMatchObject({
      status: "FAILED",
      error_message: "NativeBuildError: the disk is full: give --dir more room",
    });
    expect(await builder.lease()).toMatchObject({ work: null });
    lake.now += 6_000;
    await lake.plan();
    const again = await builder.order();
    await builder.fail(again, { class: "data", message: "a value cannot be cast" });
    lake.now += 3_600_000;
    await lake.plan();
    expect(await builder.lease()).toMatchObject({ work: null });
    expect(meta(lake)?.status).toBe("FAILED");
  });

  test("of two that race: the one that has it commits", async () => {
    const { lake, builder, send } = await opened();
    const second = new NativeBuilder(send);
    const orders = await Promise.all([builder.lease(), second.lease()]);
    expect(orders.filter(({ work }) => work !== null)).toHaveLength(1);
    expect(lake.d1.rows("SELECT count(*) AS n FROM native_runs")).toEqual([{ n: 1 }]);
  });

  test("are not for a builder of another protocol or DuckDB", async () => {
    const { builder, send } = await opened();
    const asked = JSON.stringify(builder.askedFor());
    const post = (body: string) =>
      send("/v1/builds/lease", { method: "POST", body, headers: { "content-type": "application/json" } });
    expect(await code(await post(asked.replace('"protocol":1', '"protocol":2')))).toBe("409 BUILDER_MISMATCH");
    expect(await code(await post(asked.replace(/v1\.\d+\.\d+/, "v2.0.0")))).toBe("409 BUILDER_MISMATCH");
  });

  test("of an idle lake cost a row, and are asked for the less the longer it is idle", async () => {
    const { lake, builder } = await opened();
    await builder.all();
    const polls = [];
    for (let i = 0; i < 6; i++) {
      const { work, ...rest } = await builder.lease();
      expect(work).toBeNull();
      polls.push("poll_after_ms" in rest ? rest.poll_after_ms : 0);
      lake.now += 10_000;
    }
    expect(polls).toEqual([...polls].sort((a, b) => a - b));
    expect(polls[0]).toBe(1_000);
    expect(polls.at(-1)).toBe(2_000);
  });
});
