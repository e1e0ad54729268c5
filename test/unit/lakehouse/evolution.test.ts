/** Old and new rows of a topic in one bronze, silver and gold. */
import { DuckDBInstance } from "@duckdb/node-api";
import { beforeAll, describe, expect, test } from "vitest";
import { contractOf } from "../../../contracts/registry.ts";
import { recordWalk } from "../../../lakehouse/bronze/avro-columns.ts";
import { decodeRuns } from "../../../lakehouse/bronze/decode.ts";
import { rebuildEvents } from "../../../lakehouse/bronze/rebuild.ts";
import { scanBlocks } from "../../../lakehouse/bronze/scan.ts";
import { createColumnBuilder, finishBatch } from "../../../lakehouse/engine/columns/builder.ts";
import type { Batch } from "../../../lakehouse/engine/columns/column.ts";
import { concatBatches } from "../../../lakehouse/engine/columns/concat.ts";
import { conform } from "../../../lakehouse/engine/columns/conform.ts";
import { fieldsFromAvro } from "../../../lakehouse/engine/columns/from-avro.ts";
import { openParquet } from "../../../lakehouse/engine/parquet/reader.ts";
import { evolvedRows } from "../../../lakehouse/tables/evolved-rows.ts";
import { objectSource } from "../../../lakehouse/tables/lake.ts";
import type { AvroField, AvroRecord } from "../../../schemas/avro-schema.ts";
import { ByteReader } from "../../../schemas/byte-reader.ts";
import { tableSchema } from "../../../schemas/compatibility/table-schema.ts";
import { formatTimestamp } from "../../../schemas/time.ts";
import { loadParquetWasm } from "../../../tools/build/parquet-wasm-node.ts";
import { blocksOf, framesOf, makeMessage, uuidAt } from "../../oracle/frames.ts";
import { Lake } from "../../oracle/lake.ts";
import { rowsOf } from "./engine/columns/column-of.ts";

const NOON = Date.UTC(2026, 10, 21, 12);

beforeAll(() => loadParquetWasm());

function order(n: number, changes: Readonly<Record<string, unknown>> = {}) {
  return {
    event_id: `e${n}`,
    order_id: `ord_00000${n}`,
    customer_id: "c1",
    event_timestamp: formatTimestamp((NOON - 60_000) * 1_000),
    status: "placed",
    currency: "EUR",
    amount: 10,
    channel: "web",
    items: [{ sku: "s", name: "n", quantity: 2, unit_price: 5 }],
    ...changes,
  };
}

let messages = 0;
function orders(schemaVersion: number, event: object, extra: string | null = null): Uint8Array {
  const [topic, received] = ["orders", NOON * 1_000];
  return makeMessage({
    topic,
    messageId: uuidAt(NOON, ++messages),
    received,
    schemaVersion,
    events: [{ event, extra, lexical: null }],
  });
}

function ordersContract() {
  const contract = contractOf("orders");
  if (contract === undefined) throw new Error("no contract for orders");
  return contract;
}
/** The contract as it was before version 2 was released. */
const before = () => ({ ...ordersContract(), schemas: ordersContract().schemas.slice(0, 1) });

describe("orders v1 and v2", () => {
  test("one flush holds both, and every event comes back as it was sent", () => {
    const sent = [order(1), order(2, { delivery_fee: 2.5, gift: true })];
    const frames = [...framesOf(orders(1, sent[0] ?? {}, '{"gift":true}')), ...framesOf(orders(2, sent[1] ?? {}))];
    const blocks = blocksOf(frames);
    const { runs, days } = scanBlocks(ordersContract(), blocks);
    const batch = concatBatches([...decodeRuns(ordersContract(), blocks, runs, new Set(days.keys()), 1_000_000)]);
    expect(rowsOf([batch]).map(({ delivery_fee, gift, _schema }) => ({ delivery_fee, gift, _schema }))).toEqual([
      { delivery_fee: null, gift: null, _schema: 100_001 },
      { delivery_fee: "2.50", gift: true, _schema: 100_006 },
    ]);
    // What version 1 did not know was kept as sent: it is no value of the newer column.
    expect(rebuildEvents(ordersContract(), batch)).toEqual([{ ...sent[0], gift: true }, sent[1]]);
  });

  test("a bronze file from before v2 and one from after build one silver and one gold", async () => {
    const lake = new Lake(NOON);
    await lake.land("orders", [orders(1, order(1))], before());
    const [old] = [...lake.bucket.objects.keys()];
    const file = await openParquet(await objectSource(lake.bucket, old ?? ""));
    expect(file.columns).not.toContain("delivery_fee");

    await lake.land("orders", [orders(2, order(2, { delivery_fee: 2.5 })), orders(1, order(3))]);
    await lake.settle();
    expect(
      await lake.query("SELECT event_id, delivery_fee::VARCHAR AS fee, gift FROM silver_orders ORDER BY 1"),
    ).toEqual([
      { event_id: "e1", fee: null, gift: null },
      { event_id: "e2", fee: "2.50", gift: null },
      { event_id: "e3", fee: null, gift: null },
    ]);
    expect(await lake.query("SELECT orders, gross_revenue::VARCHAR AS revenue FROM daily_order_revenue")).toEqual([
      { orders: "3", revenue: "30.00" },
    ]);
  });
});

describe("defaults", () => {
  const record = (name: string, ...fields: AvroField[]): AvroRecord => ({ type: "record", name, fields });
  const items = (...fields: AvroField[]): AvroField => ({
    name: "items",
    type: { type: "array", items: record("I", ...fields) },
  });
  const n: AvroField = { name: "n", type: "int" };
  const v1 = record("R", n, items(n));
  const v2 = record(
    "R",
    { name: "n", type: "long" },
    items(n, { name: "unit", type: "string", default: "kg" }),
    { name: "at", type: { type: "long", logicalType: "timestamp-micros" }, default: 5 },
    { name: "day", type: { type: "int", logicalType: "date" }, default: 6 },
    { name: "price", type: { type: "bytes", logicalType: "decimal", precision: 4, scale: 2 }, default: "\u0001\u0000" },
    { name: "big", type: { type: "bytes", logicalType: "decimal", precision: 30, scale: 2 }, default: "\u00ff" },
    { name: "raw", type: "bytes", default: "\u00ff\u0001" },
    { name: "list", type: { type: "array", items: "boolean" }, default: [true, false] },
    {
      name: "inner",
      type: record("X", { name: "a", type: "double" }, { name: "b", type: "string", default: "z" }),
      default: { a: 1.5 },
    },
    { name: "note", type: ["null", "string"], default: null },
  );
  const table = fieldsFromAvro(tableSchema([v1, v2]).schema);
  const filled = {
    n: 3n,
    items: [
      { n: 1, unit: "kg" },
      { n: 2, unit: "kg" },
    ],
    at: 5n,
    day: 6,
    price: "2.56",
    big: "-0.01",
    raw: Uint8Array.of(255, 1),
    list: [true, false],
    inner: { a: 1.5, b: "z" },
    note: null,
  };
  // n = 3; a block of two items, 1 and 2.
  const event = Uint8Array.of(6, 4, 2, 4, 0);

  function decode(fields: ReturnType<typeof fieldsFromAvro>): Batch {
    const builders = fields.map((field) => createColumnBuilder(field.type));
    const columns = new Map(fields.map((field, i) => [field.name, builders[i] ?? createColumnBuilder(field.type)]));
    recordWalk(v1, columns, fields)(new ByteReader(event));
    return finishBatch(fields, builders);
  }

  test("fill the rows of older events, of every type and at every depth", () => {
    expect(rowsOf([decode(table)])).toEqual([filled]);
  });

  test("fill the rows that DuckDB reads of older files", async () => {
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run("CREATE TABLE old AS SELECT 3::INT AS n, [{'n': 1::INT}] AS items");
    const rows = await connection.runAndReadAll(
      `SELECT n, day, price, items, note FROM (${evolvedRows("old", table)})`,
    );
    expect(rows.getRowObjectsJson()).toEqual([
      { n: "3", day: "1970-01-07", price: "2.56", items: [{ n: 1, unit: null }], note: null },
    ]);
    connection.closeSync();
    instance.closeSync();
  });

  test("fill the rows of older files", () => {
    expect(rowsOf([conform(decode(fieldsFromAvro(v1)), table)])).toEqual([filled]);
  });
});
