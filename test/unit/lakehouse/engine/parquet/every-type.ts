import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import type { Value } from "../../../../../lakehouse/engine/columns/value.ts";

const nullable = (name: string, type: Field["type"]): Field => ({ name, type, nullable: true });

/** One column of every type, nested ones included. */
export const everyType: readonly Field[] = [
  { name: "id", type: { kind: "int32" }, nullable: false },
  nullable("flag", { kind: "bool" }),
  nullable("big", { kind: "int64" }),
  nullable("ratio", { kind: "float64" }),
  nullable("cents", { kind: "decimal", precision: 9, scale: 2 }),
  nullable("price", { kind: "decimal", precision: 18, scale: 4 }),
  nullable("wide", { kind: "decimal", precision: 38, scale: 10 }),
  nullable("day", { kind: "date" }),
  nullable("at", { kind: "timestamp" }),
  nullable("text", { kind: "utf8" }),
  nullable("raw", { kind: "binary" }),
  nullable("items", {
    kind: "list",
    item: nullable("element", {
      kind: "struct",
      fields: [
        nullable("sku", { kind: "utf8" }),
        nullable("price", { kind: "decimal", precision: 12, scale: 2 }),
        nullable("tags", { kind: "list", item: nullable("element", { kind: "utf8" }) }),
      ],
    }),
  }),
  nullable("place", {
    kind: "struct",
    fields: [
      { name: "city", type: { kind: "utf8" }, nullable: false },
      nullable("at", { kind: "struct", fields: [nullable("lat", { kind: "float64" })] }),
    ],
  }),
];

const nothing = Object.fromEntries(everyType.map((field) => [field.name, null]));

/** Rows with the extremes of each type, and nulls on every level. */
export const everyTypeRows: readonly Readonly<Record<string, Value>>[] = [
  {
    id: 0,
    flag: true,
    big: 2n ** 63n - 1n,
    ratio: -0,
    cents: "9999999.99",
    price: "99999999999999.9999",
    wide: `${"9".repeat(28)}.${"9".repeat(10)}`,
    day: 20_000,
    at: 1_763_687_315_123_456n,
    text: "añ😀",
    raw: Uint8Array.of(0, 255, 128),
    items: [{ sku: "a", price: "1.50", tags: ["x", null, ""] }, null, { sku: null, price: null, tags: null }],
    place: { city: "Köln", at: { lat: 50.9 } },
  },
  { ...nothing, id: 1 },
  {
    id: 2,
    flag: false,
    big: -(2n ** 63n),
    ratio: Number.NaN,
    cents: "-9999999.99",
    price: "-0.0001",
    wide: `-${"9".repeat(28)}.${"9".repeat(10)}`,
    day: -719_162,
    at: -62_135_596_800_000_000n,
    text: "",
    raw: new Uint8Array(),
    items: [],
    place: { city: "", at: null },
  },
  {
    ...nothing,
    id: 3,
    wide: "-0.0000000001",
    ratio: Number.NEGATIVE_INFINITY,
    text: "\u0000\n",
    items: [{ sku: "", price: "-0.01", tags: [] }],
    place: { city: "x", at: { lat: null } },
  },
];
