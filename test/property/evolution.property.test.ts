/** Rows of every version stand in the table as avsc, resolving to the table's schema, reads them; from Avro and from an older file alike. */

import avro from "avsc";
import fc from "fast-check";
import { expect, test } from "vitest";
import { recordWalk } from "../../lakehouse/bronze/avro-columns.ts";
import { createColumnBuilder, finishBatch } from "../../lakehouse/engine/columns/builder.ts";
import type { Batch, Field } from "../../lakehouse/engine/columns/column.ts";
import { conform } from "../../lakehouse/engine/columns/conform.ts";
import { fieldsFromAvro } from "../../lakehouse/engine/columns/from-avro.ts";
import { rowAt, type Value } from "../../lakehouse/engine/columns/value.ts";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { ByteReader } from "../../schemas/byte-reader.ts";
import { canRead } from "../../schemas/compatibility/can-read.ts";
import { tableSchema } from "../../schemas/compatibility/table-schema.ts";
import { longOrShare } from "../long-share.ts";
import { schemaPairs } from "../oracle/arbitrary-schema.ts";

function typeOf(schema: AvroRecord): avro.Type {
  return avro.Type.forSchema(JSON.parse(JSON.stringify(schema)), { registry: {}, wrapUnions: "never" });
}

function decode(bytes: Uint8Array, writer: AvroRecord, fields: readonly Field[]): Batch {
  const builders = fields.map((field) => createColumnBuilder(field.type));
  const columns = new Map(fields.map((field, i) => [field.name, builders[i] ?? createColumnBuilder(field.type)]));
  recordWalk(writer, columns, fields)(new ByteReader(bytes));
  return finishBatch(fields, builders);
}

/** Numbers and bytes in one form each, whoever made them. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

test("a table's row is what the specification's resolution gives", () => {
  let compared = 0;
  fc.assert(
    fc.property(schemaPairs(), ([left, right]) => {
      const { schema, conflicts } = tableSchema([left, right]);
      if (conflicts.length > 0) return;
      const fields = fieldsFromAvro(schema);
      for (const writer of [left, right]) {
        // Renamed records are no matter to a table, but avsc would refuse them.
        if (canRead(schema, writer).length > 0) continue;
        const [from, to] = [typeOf(writer), typeOf(schema)];
        const bytes = from.toBuffer(from.random());
        const expected = plain(to.fromBuffer(bytes, to.createResolver(from)));
        const row = (batch: Batch): Readonly<Record<string, Value>> => rowAt(batch, 0);
        expect(plain(row(decode(bytes, writer, fields)))).toEqual(expected);
        expect(plain(row(conform(decode(bytes, writer, fieldsFromAvro(writer)), fields)))).toEqual(expected);
        compared++;
      }
    }),
    { numRuns: longOrShare(500, 150) },
  );
  expect(compared).toBeGreaterThan(longOrShare(100, 20));
});
