import { describe, expect, test } from "vitest";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import { concatBatches } from "../../../../../lakehouse/engine/columns/concat.ts";
import { conform } from "../../../../../lakehouse/engine/columns/conform.ts";
import { batchOf, rowsOf } from "./column-of.ts";

const line = (fields: readonly Field[]): Field => ({
  name: "lines",
  type: { kind: "list", item: { name: "item", type: { kind: "struct", fields }, nullable: false } },
  nullable: false,
});
const sku: Field = { name: "sku", type: { kind: "utf8" }, nullable: false };
const note: Field = { name: "note", type: { kind: "utf8" }, nullable: true };
const id: Field = { name: "id", type: { kind: "int32" }, nullable: false };

describe("conform", () => {
  test("what an older file lacks is null, inside of lists and structs too, and it goes together with a newer one", () => {
    const older = batchOf(
      [id, line([sku])],
      [
        { id: 1, lines: [{ sku: "a" }, { sku: "b" }] },
        { id: 2, lines: [] },
      ],
    );
    const fields = [line([note, sku]), id, note];
    const newer = batchOf(fields, [{ id: 3, lines: [{ sku: "c", note: "x" }], note: "y" }]);
    const together = concatBatches([conform(older, fields), conform(newer, fields)]);
    expect(rowsOf([together])).toEqual([
      {
        id: 1,
        lines: [
          { sku: "a", note: null },
          { sku: "b", note: null },
        ],
        note: null,
      },
      { id: 2, lines: [], note: null },
      { id: 3, lines: [{ sku: "c", note: "x" }], note: "y" },
    ]);
  });
});
