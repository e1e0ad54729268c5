/** Avro straight into columns gives what avsc decodes, for any schema of the supported subset. */

import avro from "avsc";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { recordWalk } from "../../lakehouse/bronze/avro-columns.ts";
import { skipWalk } from "../../lakehouse/bronze/avro-skip.ts";
import { createColumnBuilder } from "../../lakehouse/engine/columns/builder.ts";
import { fieldsFromAvro } from "../../lakehouse/engine/columns/from-avro.ts";
import { decimalText, type Value, valueAt } from "../../lakehouse/engine/columns/value.ts";
import { type AvroRecord, type AvroType, unwrapOptional } from "../../schemas/avro-schema.ts";
import { ByteReader } from "../../schemas/byte-reader.ts";
import { bytesFromUnscaled, unscaledFromBytes } from "../../schemas/decimal.ts";
import { longOrShare } from "../long-share.ts";
import { anyCharacter } from "../oracle/any-character.ts";
import { expectEqual } from "../oracle/expect-equal.ts";

/** As far as avsc goes. */
const MAX_LONG = 2 ** 53 - 2;

const precisions = fc.integer({ min: 1, max: 38 });
const scalar: fc.Arbitrary<AvroType> = fc.oneof(
  fc.constantFrom<AvroType>(
    "boolean",
    "int",
    "long",
    "double",
    "string",
    "bytes",
    { type: "long", logicalType: "timestamp-micros" },
    { type: "int", logicalType: "date" },
  ),
  precisions.chain((precision) =>
    fc
      .integer({ min: 0, max: precision })
      .map((scale): AvroType => ({ type: "bytes", logicalType: "decimal", precision, scale })),
  ),
);

const { type: arbitraryType } = fc.letrec<{ type: AvroType; plain: AvroType }>((tie) => ({
  plain: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    scalar,
    tie("type").map((items): AvroType => ({ type: "array", items })),
    fc.array(tie("type"), { minLength: 1, maxLength: 3 }).map(recordOf),
  ),
  type: fc
    .tuple(tie("plain"), fc.constantFrom("required", "null first", "null last"))
    .map(
      ([type, form]): AvroType =>
        form === "required" ? type : form === "null first" ? ["null", type] : [type, "null"],
    ),
}));

function recordOf(types: readonly AvroType[]): AvroRecord {
  return { type: "record", name: "R", fields: types.map((type, i) => ({ name: `f${i}`, type })) };
}

const double = fc.double();
const long = fc.oneof(
  fc.integer({ min: -MAX_LONG, max: MAX_LONG }),
  fc.integer({ min: -300, max: 300 }),
  fc.constantFrom(MAX_LONG, -MAX_LONG, 2 ** 52, -(2 ** 52) - 1, 2 ** 27, -(2 ** 27) - 1, 2 ** 28 - 1),
);
const int = fc.oneof(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.integer({ min: -70, max: 70 }));

/** Values as avsc takes them without logical types. */
function valuesOf(avroType: AvroType): fc.Arbitrary<unknown> {
  const { type, nullable } = unwrapOptional(avroType);
  if (nullable) return fc.option(valuesOf(type), { nil: null, freq: 3 });
  if (typeof type === "string") {
    switch (type) {
      case "boolean":
        return fc.boolean();
      case "int":
        return int;
      case "long":
        return long;
      case "double":
        return double;
      case "string":
        return fc.string({ unit: anyCharacter, maxLength: 8 });
      default:
        return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));
    }
  }
  switch (type.type) {
    case "long":
      return long;
    case "int":
      return int;
    case "bytes": {
      const max = 10n ** BigInt(type.precision) - 1n;
      const unscaled = fc.oneof(fc.bigInt({ min: -max, max }), fc.constantFrom(0n, max, -max));
      // Other writers may extend the sign.
      return fc
        .tuple(unscaled, fc.nat(2))
        .map(([value, more]) => Buffer.concat([Buffer.alloc(more, value < 0n ? 0xff : 0), bytesFromUnscaled(value)]));
    }
    case "array":
      return fc.array(valuesOf(type.items), { maxLength: 3 });
    case "record":
      return fc.record(Object.fromEntries(type.fields.map((field) => [field.name, valuesOf(field.type)])), {
        noNullPrototype: true,
      });
  }
}

/** What avsc decoded, in the forms of `valueAt`. */
function expected(avroType: AvroType, value: unknown): Value {
  if (value === null) return null;
  const { type } = unwrapOptional(avroType);
  if (type === "long" || (typeof type === "object" && type.type === "long")) return BigInt(Number(value));
  if (type === "bytes" && value instanceof Uint8Array) return Uint8Array.from(value);
  if (typeof type === "string" || type.type === "int") {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
    throw new TypeError(`${String(value)} as ${JSON.stringify(type)}`);
  }
  if (type.type === "bytes" && value instanceof Uint8Array) return decimalText(unscaledFromBytes(value), type.scale);
  if (type.type === "array" && Array.isArray(value)) return value.map((item: unknown) => expected(type.items, item));
  if (type.type === "record" && typeof value === "object")
    return Object.fromEntries(
      type.fields.map((field) => [field.name, expected(field.type, Reflect.get(value, field.name))]),
    );
  throw new TypeError(`${String(value)} as ${JSON.stringify(type)}`);
}

// avsc refuses a name that is defined twice: records are named as they come.
function named(schema: AvroRecord): AvroRecord {
  let n = 0;
  const walk = (type: AvroType): AvroType => {
    if (typeof type === "string") return type;
    if ("type" in type) {
      if (type.type === "array") return { ...type, items: walk(type.items) };
      if (type.type === "record") {
        const name = `R${n++}`;
        return { ...type, name, fields: type.fields.map((field) => ({ ...field, type: walk(field.type) })) };
      }
      return type;
    }
    return [walk(type[0]), walk(type[1])];
  };
  return { ...schema, name: "Top", fields: schema.fields.map((field) => ({ ...field, type: walk(field.type) })) };
}

const schemaAndRows = fc.array(arbitraryType, { minLength: 1, maxLength: 5 }).chain((types) => {
  const schema = named(recordOf(types));
  return fc.tuple(
    fc.constant(schema),
    fc.array(valuesOf(schema), { maxLength: 12 }),
    fc.subarray(schema.fields.map(({ name }) => name)),
  );
});

test("passing over a row ends where it does, and throws where it is cut short", () => {
  fc.assert(
    fc.property(schemaAndRows, ([schema, rows]) => {
      const type = avro.Type.forSchema(JSON.parse(JSON.stringify(schema)), { wrapUnions: "never" });
      const pass = skipWalk(schema);
      for (const row of rows) {
        const bytes = type.toBuffer(row);
        const reader = new ByteReader(bytes);
        pass(reader);
        expectEqual(reader.at, bytes.byteLength);
        for (let end = 0; end < bytes.byteLength; end++) {
          expect(() => pass(new ByteReader(bytes.subarray(0, end)))).toThrow(RangeError);
        }
      }
    }),
  );
});

describe("Avro into columns", () => {
  test("gives what avsc decodes; fields without a column are passed over, columns without a field are null", () => {
    fc.assert(
      fc.property(schemaAndRows, ([schema, rows, dropped]) => {
        const type = avro.Type.forSchema(JSON.parse(JSON.stringify(schema)), { wrapUnions: "never" });
        const bytes = Buffer.concat(rows.map((row) => type.toBuffer(row)));
        const kept = schema.fields.filter(({ name }) => !dropped.includes(name));
        const fields = [
          ...fieldsFromAvro({ ...schema, fields: kept }),
          { name: "newer", type: { kind: "utf8" }, nullable: true } as const,
        ];
        const builders = new Map(fields.map((field) => [field.name, createColumnBuilder(field.type)]));
        const reader = new ByteReader(bytes);
        const walk = recordWalk(schema, builders);
        for (const _row of rows) walk(reader);
        expectEqual(reader.done, true);
        const columns = fields.map(({ name }) => [name, builders.get(name)?.finish()] as const);
        rows.forEach((row, i) => {
          const decoded: unknown = type.fromBuffer(type.toBuffer(row));
          const want = expected({ ...schema, fields: kept }, decoded);
          const got = Object.fromEntries(
            columns.map(([name, column]) => [name, column === undefined ? undefined : valueAt(column, i)]),
          );
          expectEqual(got, { ...(typeof want === "object" ? want : {}), newer: null });
        });
      }),
      { numRuns: longOrShare(500, 75) },
    );
  });

  test("arrays in blocks with a size read as arrays without", () => {
    const schema: AvroRecord = {
      type: "record",
      name: "R",
      fields: [{ name: "a", type: { type: "array", items: "int" } }],
    };
    const [field] = fieldsFromAvro(schema);
    if (field === undefined) throw new Error("a field");
    const builder = createColumnBuilder(field.type);
    // Count -2, size 2, items 1 and 2; count 1, item 3; end.
    recordWalk(schema, new Map([["a", builder]]))(new ByteReader(Uint8Array.of(3, 4, 2, 4, 2, 6, 0)));
    expect(valueAt(builder.finish(), 0)).toEqual([1, 2, 3]);
  });

  test("bytes that are cut short are a RangeError, whatever the schema", () => {
    fc.assert(
      fc.property(schemaAndRows, ([schema, rows]) => {
        const type = avro.Type.forSchema(JSON.parse(JSON.stringify(schema)), { wrapUnions: "never" });
        const fields = fieldsFromAvro(schema);
        for (const row of rows.slice(0, 2)) {
          const bytes = type.toBuffer(row);
          for (let length = 0; length < bytes.byteLength; length++) {
            const builders = new Map(fields.map((field) => [field.name, createColumnBuilder(field.type)]));
            expect(() => recordWalk(schema, builders)(new ByteReader(bytes.subarray(0, length)))).toThrow(RangeError);
          }
        }
      }),
      { numRuns: 50 },
    );
  });
});
