import { describe, expect, test } from "vitest";
import { beginning } from "../../../../../lakehouse/builds/models/beginning.ts";
import { definitionOf, type ModelProgress, noProgress } from "../../../../../lakehouse/builds/models/progress.ts";
import { isEdgeModelTable } from "../../../../../lakehouse/tables/catalog.ts";
import type { ProgressRow } from "../../../../../sql/statements/silver-progress.ts";
import { tableOf } from "../../../../oracle/lake.ts";

const table = (() => {
  const known = tableOf("daily_order_revenue");
  if (!isEdgeModelTable(known)) throw new Error("the edge builds daily_order_revenue");
  return known;
})();
const lease = { date: "2026-11-21", rebuild: false };
const lookups = [{ table: "silver_payments", date: "2026-11-21", version: 3 }];
const file = { file: "f", added: 1, rows: 5 };
const read = [{ table: "silver_orders", date: "2026-11-21", files: [file] }];

function row(line: ProgressRow["line"], more: Partial<ModelProgress> = {}, blocked = false): ProgressRow {
  const seen = [{ table: "silver_orders", date: "2026-11-21", version: 1, rows: 2, through: 5 }];
  const progress = { ...noProgress(table, lookups), read: seen, ...more };
  return { line, build_id: "b", run_id: "r", steps: 1, basis: "empty", blocked, progress: JSON.stringify(progress) };
}

const begun = (rows: Partial<Parameters<typeof beginning>[0]>, inputs = { read, lookups }, own = lease) =>
  beginning(
    { candidate: undefined, published: undefined, current: true, publishedRows: 0, ...rows },
    table,
    own,
    inputs,
    100,
  );

describe("a step of a model", () => {
  test("goes on from the candidate, else from the published version, else from nothing", () => {
    expect(begun({ candidate: row("candidate"), published: row("published") })).toMatchObject({
      candidate: { id: "b", steps: 1 },
      portion: { rows: 3, more: false },
    });
    expect(begun({ published: row("published") })).toMatchObject({ basis: "published", portion: { rows: 3 } });
    expect(begun({})).toMatchObject({ basis: "empty", portion: { rows: 5 } });
  });

  test("begins anew when a table that it looks rows up in has another version, or the model or what was read is another one", () => {
    const moved = { read, lookups: [{ table: "silver_payments", date: "2026-11-21", version: 4 }] };
    const anew = { basis: "empty", candidate: undefined, portion: { rows: 5 } };
    expect(begun({ published: row("published") }, moved)).toMatchObject(anew);
    expect(begun({ candidate: row("candidate") }, moved)).toMatchObject({ ...anew, discarded: { rows: 0 } });
    expect(begun({ published: row("published", { definition: "another" }) })).toMatchObject(anew);
    expect(begun({ published: row("published"), current: false })).toMatchObject(anew);
    expect(begun({ published: row("published") }, { lookups, read: [{ ...read[0]!, files: [] }] })).toMatchObject({
      basis: "empty",
      portion: { rows: 0 },
    });
  });

  test("begins anew when somebody asks for a build of what is there; a candidate goes on, but for one that its gate held back", () => {
    const asked = { ...lease, rebuild: true };
    const inputs = { read, lookups };
    expect(begun({ published: row("published") }, inputs, asked)).toMatchObject({ basis: "empty" });
    expect(begun({ candidate: row("candidate") }, inputs, asked).candidate).toBeDefined();
    expect(begun({ candidate: row("candidate", {}, true) }, inputs, asked).candidate).toBeUndefined();
  });

  test("is defined by the plan; for rows, that are measured as they come, by the checks too", () => {
    const lax = { ...table, checks: [] };
    expect(definitionOf(lax)).toBe(definitionOf(table));
    const rows = { ...table, model: { ...table.model, class: { ...table.model.class, kind: "rows" as const } } };
    expect(definitionOf({ ...rows, checks: [] })).not.toBe(definitionOf(rows));
    const other = { ...table, model: { ...table.model, generation: "another" } };
    expect(definitionOf(other)).not.toBe(definitionOf(table));
  });
});
