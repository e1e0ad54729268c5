/** The inputs of the gold models and a table of every type, with arbitrary rows: what models are judged on. */
import fc from "fast-check";
import type { ColumnType, Field } from "../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../lakehouse/engine/columns/value.ts";
import type { TableSchema } from "../../tools/build/models/compile-models.ts";
import { anyCharacter } from "./any-character.ts";
import type { Row } from "./same-rows.ts";

const utf8: ColumnType = { kind: "utf8" };
const int32: ColumnType = { kind: "int32" };
const int64: ColumnType = { kind: "int64" };
const money: ColumnType = { kind: "decimal", precision: 12, scale: 2 };
const timestamp: ColumnType = { kind: "timestamp" };
const date: ColumnType = { kind: "date" };
const item: ColumnType = {
  kind: "struct",
  fields: [field("sku", utf8), field("name", utf8), field("quantity", int32), field("unit_price", money)],
};
const METADATA = [
  field("event_date", date),
  field("_received", timestamp),
  field("_producer", utf8),
  field("_schema", int32),
];

export const silverOrders: TableSchema = {
  name: "silver_orders",
  partition: "event_date",
  fields: [
    ...["event_id", "order_id", "customer_id"].map((name) => field(name, utf8)),
    field("event_timestamp", timestamp),
    field("status", utf8),
    field("currency", utf8),
    field("amount", money),
    field("channel", utf8),
    field("items", { kind: "list", item: field("item", item) }),
    field("coupon", utf8),
    field("schema_version", int32),
    ...METADATA,
  ],
};

export const silverPayments: TableSchema = {
  name: "silver_payments",
  partition: "event_date",
  fields: [
    ...["event_id", "payment_id", "order_id"].map((name) => field(name, utf8)),
    field("event_timestamp", timestamp),
    field("method", utf8),
    field("status", utf8),
    field("amount", money),
    field("currency", utf8),
    field("attempt", int32),
    field("failure_reason", utf8),
    field("refund_reason", utf8),
    field("schema_version", int32),
    ...METADATA,
  ],
};

export const silverLedger: TableSchema = {
  name: "silver_ledger",
  partition: "ledger_date",
  fields: [
    field("ledger_date", date),
    field("hour", timestamp),
    field("topic", utf8),
    field("term", utf8),
    field("error_type", utf8),
    field("events", int64),
  ],
};

/** Every type; `d` is the partition column. */
export const sampleTable: TableSchema = {
  name: "t",
  partition: "d",
  fields: [
    field("d", date),
    field("k", utf8),
    field("s", utf8),
    field("ts", timestamp),
    field("n", int64),
    field("m", int32),
    field("x", { kind: "float64" }),
    field("b", { kind: "bool" }),
    field("amount", money),
    field("big", { kind: "decimal", precision: 30, scale: 5 }),
    field("tags", { kind: "list", item: field("item", utf8) }),
    field("nums", { kind: "list", item: field("item", int32) }),
    field("items", { kind: "list", item: field("item", item) }),
  ],
};

export const shopTables: readonly TableSchema[] = [silverOrders, silverPayments, silverLedger, sampleTable];

function field(name: string, type: ColumnType): Field {
  return { name, type, nullable: true };
}

/** Few values, so that groups and duplicates form. */
const words = new Map<string, readonly string[]>([
  ["currency", ["EUR", "USD", "€", ""]],
  ["method", ["card", "wallet", "straße"]],
  ["status", ["succeeded", "failed", "refunded", "pending"]],
  ["term", ["accepted", "rejected", "duplicate"]],
  ["error_type", ["MALFORMED_PAYLOAD", "MISSING_FIELD", "QUALITY_GATE", "UNKNOWN"]],
  ["topic", ["orders", "payments"]],
  ["k", ["a", "b", "é", "𝒳", "\uffff", ""]],
]);

const texts = fc.oneof(
  fc.string({ unit: anyCharacter, maxLength: 12 }).map((text) => text.replace(/^\ufeff+/, "")),
  fc.constantFrom("", "straße", "ΑΣ", "İI", "ǅ", "🦆 naïve", "abc", "ABC"),
);

/** Years 1600 to 2400 mostly near the epoch: both sides of it. */
const days = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -130_000, max: 150_000 }));
const micros = fc.oneof(
  fc.bigInt({ min: -200_000_000_000n, max: 200_000_000_000n }),
  fc.bigInt({ min: -11_000_000_000_000_000n, max: 13_000_000_000_000_000n }),
);

function decimals(precision: number, scale: number): fc.Arbitrary<Value> {
  const max = 10n ** BigInt(precision) - 1n;
  return fc
    .oneof(
      fc.bigInt({ min: -100_000n, max: 100_000n }),
      fc.bigInt({ min: -max, max }),
      fc.constantFrom(max, -max, 0n, 5n, -5n),
    )
    .map((unscaled) => {
      const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
      return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
    });
}

function values({ name, type }: Field): fc.Arbitrary<Value> {
  switch (type.kind) {
    case "bool":
      return fc.boolean();
    case "int32":
      return fc.oneof(fc.integer({ min: -20, max: 20 }), fc.constantFrom(2147483647, -2147483648, 0));
    case "int64":
      return fc.oneof(
        fc.bigInt({ min: -1000n, max: 1000n }),
        fc.bigInt({ min: -(2n ** 53n), max: 2n ** 53n }),
        ...(name === "events" ? [] : [fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n))]),
      );
    case "float64":
      return fc.oneof(
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        fc.constantFrom(
          0,
          -0,
          0.5,
          -0.5,
          1.5,
          2.5,
          2.675,
          1e15,
          Number.NaN,
          Number.POSITIVE_INFINITY,
          Number.NEGATIVE_INFINITY,
        ),
      );
    case "decimal":
      return decimals(type.precision, type.scale);
    case "date":
      return name === "event_date" || name === "ledger_date" ? fc.integer({ min: 20_000, max: 20_002 }) : days;
    case "timestamp":
      return micros;
    case "utf8": {
      const few = words.get(name);
      return few === undefined ? texts : fc.constantFrom(...few);
    }
    case "list":
      return fc.array(nullable(type.item), { maxLength: 4 });
    case "struct":
      return fc.record(Object.fromEntries(type.fields.map((child) => [child.name, nullable(child)])));
    case "binary":
      return fc.uint8Array({ maxLength: 8 }).map((bytes) => Uint8Array.from(bytes));
  }
}

function nullable(column: Field, own?: fc.Arbitrary<Value>): fc.Arbitrary<Value> {
  return fc.option(own ?? values(column), { nil: null, freq: 6 });
}

/** Rows of a table: empty, few, with nulls, extremes, repeats. `own` makes the values of the columns that it names. */
export function arbitraryRows(
  table: TableSchema,
  own: Readonly<Record<string, fc.Arbitrary<Value>>> = {},
): fc.Arbitrary<Row[]> {
  const row: fc.Arbitrary<Row> = fc.record(
    Object.fromEntries(table.fields.map((column) => [column.name, nullable(column, own[column.name])])),
  );
  return fc
    .tuple(fc.array(row, { maxLength: 30 }), fc.array(fc.nat(), { maxLength: 5 }))
    .map(([rows, again]) => [
      ...rows,
      ...again.flatMap((index) => (rows.length === 0 ? [] : rows.slice(index % rows.length).slice(0, 1))),
    ]);
}
