/** A partition that is built from the dates it reads has the rows that the SELECT over the whole table gives it. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { planOfPartition } from "../../lakehouse/builds/models/own-partition.ts";
import { runModel } from "../../lakehouse/builds/models/run.ts";
import type { Batch } from "../../lakehouse/engine/columns/column.ts";
import { rowAt } from "../../lakehouse/engine/columns/value.ts";
import type { EdgeModel } from "../../lakehouse/engine/ir/ir.ts";
import { addDays, datesRead, firstDayOf } from "../../lakehouse/engine/ir/relation.ts";
import { compileModels, type TableSchema } from "../../tools/build/models/compile-models.ts";
import { longOrShare } from "../long-share.ts";
import { edgeModels } from "../oracle/edge-models.ts";
import { exactText, type Row } from "../oracle/same-rows.ts";
import { batchOf } from "../unit/lakehouse/engine/columns/column-of.ts";

const clicks: TableSchema = {
  name: "clicks",
  partition: "d",
  fields: [
    { name: "d", type: { kind: "date" }, nullable: false },
    { name: "who", type: { kind: "utf8" }, nullable: true },
  ],
};
const FIRST = "2026-10-25";
const DAY_MS = 86_400_000;
const numberOf = (date: string) => Date.parse(`${date}T00:00:00Z`) / DAY_MS;

const models = {
  rolling: {
    inputs: "last(3)",
    sql: `SELECT day, count(*) AS c, count(DISTINCT who) AS people FROM
      (SELECT d AS day, who FROM clicks UNION ALL SELECT d + 1, who FROM clicks UNION ALL SELECT d + 2, who FROM clicks) GROUP BY day`,
  },
  ahead: {
    inputs: "next(2)",
    sql: "SELECT DISTINCT day, who FROM (SELECT d AS day, who FROM clicks UNION ALL SELECT d - 1, who FROM clicks)",
  },
  weekly: {
    inputs: "within(week)",
    sql: "SELECT date_trunc('week', d)::DATE AS day, who, count(*) AS c FROM clicks GROUP BY ALL",
  },
  monthly: {
    inputs: "within(month)",
    sql: "SELECT day, max(c) AS most FROM (SELECT date_trunc('month', d)::DATE AS day, who, count(*) AS c FROM clicks GROUP BY ALL) GROUP BY day",
  },
} as const;

async function compile(name: keyof typeof models): Promise<EdgeModel> {
  const { inputs, sql } = models[name];
  const text = `/* ---\ndescription: a test\npartition: day\nkey: [day]\ninputs: { clicks: ${inputs} }\n--- */\n${sql}`;
  const [model] = edgeModels(
    await compileModels({ models: [{ path: `sql/gold/${name}.sql`, text }], tables: [clicks] }),
  );
  if (model === undefined) throw new Error("nothing was compiled");
  return model;
}

function scanOf(rows: readonly Row[]) {
  return {
    async *scan(_table: string, columns: readonly string[]): AsyncGenerator<Batch> {
      yield batchOf(
        clicks.fields.filter(({ name }) => columns.includes(name)),
        rows,
      );
    },
  };
}

function textsOf(batch: Batch, day?: number): readonly string[] {
  const rows = Array.from({ length: batch.length }, (_, at) => rowAt(batch, at));
  return rows.flatMap((row) => (day === undefined || row["day"] === day ? [exactText(Object.values(row))] : [])).sort();
}

for (const name of ["rolling", "ahead", "weekly", "monthly"] as const) {
  test(`${name}: the dates of ${models[name].inputs} give the partition's rows`, async () => {
    const model = await compile(name);
    const relation = model.inputs[0]?.relation ?? { kind: "same" };
    const row = fc.record({
      d: fc.integer({ min: 0, max: 12 }).map((days) => numberOf(FIRST) + days),
      who: fc.option(fc.constantFrom("a", "b", "c")),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 40 }), fc.integer({ min: -2, max: 14 }), async (rows, ahead) => {
        const day = addDays(FIRST, ahead);
        const partition = relation.kind === "within" ? firstDayOf(relation.unit, day) : day;
        const read = datesRead(relation, partition);
        if (typeof read === "string") throw new Error("not by date");
        const own = rows.filter(({ d }) => numberOf(read.from) <= d && d <= numberOf(read.to));
        const built = await runModel(model, scanOf(own), planOfPartition(model, partition));
        expect(textsOf(built)).toEqual(textsOf(await runModel(model, scanOf(rows)), numberOf(partition)));
      }),
      { numRuns: longOrShare(60, 25) },
    );
  });
}
