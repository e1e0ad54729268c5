/** The checker says of two schemas what the avsc library's own resolvers do with them. */

import avro from "avsc";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { canRead } from "../../schemas/compatibility/can-read.ts";
import { defaultProblems } from "../../schemas/compatibility/default-value.ts";
import { tableSchema } from "../../schemas/compatibility/table-schema.ts";
import { longOrShare } from "../long-share.ts";
import { anyScalar, schemaPairs } from "../oracle/arbitrary-schema.ts";

// A registry of its own for each type: both schemas have records of the same names. Logical types are unknown to it, and so ignored.
function typeOf(schema: AvroRecord): avro.Type {
  return avro.Type.forSchema(JSON.parse(JSON.stringify(schema)), { registry: {}, wrapUnions: "never" });
}

function resolver(reader: avro.Type, writer: avro.Type): object | null {
  try {
    return reader.createResolver(writer, { ignoreNamespaces: true });
  } catch {
    return null;
  }
}

test("it agrees with avsc, in both directions, and what it lets pass is read", () => {
  let readable = 0;
  let refused = 0;
  fc.assert(
    fc.property(schemaPairs(), ([left, right]) => {
      const [a, b] = [typeOf(left), typeOf(right)];
      for (const [reader, writer, from, to] of [
        [left, right, a, b],
        [right, left, b, a],
      ] as const) {
        const resolved = resolver(from, to);
        const found = canRead(reader, writer);
        expect({ readable: found.length === 0, found }).toMatchObject({ readable: resolved !== null });
        if (resolved === null) refused++;
        else {
          readable++;
          from.fromBuffer(to.toBuffer(to.random()), resolved);
        }
      }
    }),
    { numRuns: longOrShare(1_000, 300) },
  );
  // The generator must not make the test hollow.
  expect(Math.min(readable, refused)).toBeGreaterThan(longOrShare(100, 20));
});

test("with logical types it lets nothing pass that avsc refuses", () => {
  fc.assert(
    fc.property(schemaPairs(anyScalar), ([reader, writer]) => {
      if (canRead(reader, writer).length === 0) expect(resolver(typeOf(reader), typeOf(writer))).not.toBeNull();
    }),
    { numRuns: longOrShare(500, 150) },
  );
});

test("a schema reads itself, and every path leads to a place in its document", () => {
  fc.assert(
    fc.property(schemaPairs(anyScalar), ([left, right]) => {
      expect(canRead(left, left)).toEqual([]);
      for (const { readerPath, writerPath } of canRead(left, right)) {
        expect(valueAt(left, readerPath)).toBeDefined();
        expect(valueAt(right, writerPath)).toBeDefined();
      }
    }),
    { numRuns: longOrShare(500, 150) },
  );
});

test("a table without conflicts reads every version, and its defaults are values", () => {
  let merged = 0;
  fc.assert(
    fc.property(schemaPairs(anyScalar), ([left, right]) => {
      const { schema, conflicts } = tableSchema([left, right]);
      if (conflicts.length > 0) return;
      merged++;
      // The name of a record says nothing to a table.
      const unnamed = (record: AvroRecord): AvroRecord =>
        JSON.parse(JSON.stringify(record).replaceAll(/"name":"R\w*"/g, '"name":"R"'));
      expect(canRead(unnamed(schema), unnamed(left))).toEqual([]);
      expect(canRead(unnamed(schema), unnamed(right))).toEqual([]);
      expect(defaultProblems(schema).filter(({ path }) => path.at(-1) === "default")).toEqual([]);
    }),
    { numRuns: longOrShare(500, 150) },
  );
  expect(merged).toBeGreaterThan(longOrShare(100, 20));
});

function valueAt(document: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (value, part) => (typeof value === "object" && value !== null ? Reflect.get(value, part) : undefined),
    document,
  );
}
