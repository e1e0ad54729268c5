/** A partial result of many groups and distinct values goes to R2 and back in parts, and frees what it took. */
import { expect, test } from "vitest";
import { LostPartialError, loadPartial, savePartial } from "../../../../../lakehouse/builds/models/saved-partial.ts";
import { encodePartial } from "../../../../../lakehouse/engine/aggregates/partial-format.ts";
import type { Field } from "../../../../../lakehouse/engine/columns/column.ts";
import type { Aggregate, Plan } from "../../../../../lakehouse/engine/ir/ir.ts";
import { columnTypeOf } from "../../../../../lakehouse/engine/ir/ir-types.ts";
import { createHeldRows } from "../../../../../lakehouse/engine/operators/held-rows.ts";
import { partialPlanOf, runPartially } from "../../../../../lakehouse/engine/operators/partial-plan.ts";
import { collectRows } from "../../../../../lakehouse/engine/operators/sort.ts";
import { expectEqual } from "../../../../oracle/expect-equal.ts";
import { batchOf, valuesOf } from "../../engine/columns/column-of.ts";
import { column, float64, int32, int64, utf8 } from "../../engine/expressions/evaluate.ts";

const COLUMNS = [
  { name: "k", type: utf8 },
  { name: "n", type: int32 },
  { name: "x", type: float64 },
] as const;
const [k, n, x] = [column(0, utf8), column(1, int32), column(2, float64)];
const fields = COLUMNS.map(({ name, type }): Field => ({ name, type: columnTypeOf(type), nullable: true }));
const of = (name: string, arg: typeof k, type: Aggregate["type"], distinct = false): Aggregate => {
  return { name, args: [arg], distinct, filter: null, type };
};
const PLAN: Plan = {
  node: "aggregate",
  input: { node: "scan", table: "t", columns: COLUMNS },
  groups: [k],
  aggregates: [
    of("count", n, int64, true),
    of("sum", x, float64),
    of("max", k, utf8),
    of("sum", x, float64, true),
    of("min", n, int32),
  ],
};
const GROUPS = 40_000;
const TITLE = { generation: "g", note: "a test" };

function start() {
  const plan = partialPlanOf(PLAN);
  if (plan === undefined) throw new Error("an aggregation has partial results");
  const held = createHeldRows({ kind: "model", name: "m", maxRows: 1_000_000 });
  return { run: runPartially(plan, held), held };
}

/** Rows [first, last), whose groups come again and again. */
async function add(run: ReturnType<typeof start>["run"], first: number, last: number): Promise<void> {
  await run.add(async function* () {
    for (let start = first; start < last; start += 10_000) {
      const rows = Array.from({ length: Math.min(10_000, last - start) }, (_, at) => {
        const row = start + at;
        return { k: `group ${(row * 7) % GROUPS}`.padEnd(60, "."), n: row % 11, x: (row % 13) * 1e-3 };
      });
      yield batchOf(fields, rows);
    }
  });
}

function memoryBucket() {
  const objects = new Map<string, Uint8Array<ArrayBuffer>>();
  return {
    objects,
    // As R2 does, it has bytes of its own.
    put: async (key: string, bytes: Uint8Array) => void objects.set(key, Uint8Array.from(bytes)),
    async get(key: string) {
      const bytes = objects.get(key);
      return bytes === undefined ? null : { arrayBuffer: async () => bytes.slice().buffer };
    },
  };
}

async function result({ run, held }: ReturnType<typeof start>) {
  const rows = await collectRows(run.rows(), held);
  return rows?.columns.map(valuesOf);
}

test("what is saved in objects and loaded is as if all rows had come in one run", { timeout: 60_000 }, async () => {
  const whole = start();
  await add(whole.run, 0, 120_000);
  const before = start();
  await add(before.run, 0, 90_000);
  const bucket = memoryBucket();
  const saved = await savePartial(bucket, "p-", encodePartial(TITLE, before.run.save()));
  const objects = saved.flatMap((each) => ("object" in each ? [each] : []));
  expect(objects).toHaveLength(saved.length);
  before.run.release();
  expect(before.run.byteLength).toBe(0);
  expect(objects.length).toBeGreaterThan(1);
  for (const { bytes } of objects) expect(bytes).toBeLessThanOrEqual(4 * 1024 * 1024);
  const after = start();
  const merge = after.run.merger();
  let parts = 0;
  for await (const part of loadPartial(bucket, TITLE, objects)) {
    merge(part);
    parts++;
  }
  expect(parts).toBeGreaterThan(10);
  await add(after.run, 90_000, 120_000);
  expectEqual(await result(after), await result(whole));

  const load = async (named: typeof objects) => {
    const { run } = start();
    const into = run.merger();
    for await (const part of loadPartial(bucket, TITLE, named)) into(part);
  };
  await expect(load(objects.slice(1))).rejects.toThrow(/lacks a part/);
  await expect(load(objects.slice(0, -1))).rejects.toThrow(/has no end/);
  const [first] = objects;
  if (first === undefined) throw new Error("there is an object");
  const bytes = bucket.objects.get(first.object);
  if (bytes === undefined) throw new Error("the object is there");
  bytes[bytes.length - 1]! ^= 1;
  await expect(load(objects)).rejects.toThrow(LostPartialError);
  bucket.objects.delete(first.object);
  await expect(load(objects)).rejects.toThrow(/is not in the bucket/);
});

test("a small one is held by the progress, and the bucket has nothing of it", async () => {
  const before = start();
  await add(before.run, 0, 100);
  const bucket = memoryBucket();
  const saved = await savePartial(bucket, "p-", encodePartial(TITLE, before.run.save()));
  expect(saved).toEqual([{ inline: expect.any(String) }]);
  expect(bucket.objects.size).toBe(0);
  const after = start();
  const merge = after.run.merger();
  for await (const part of loadPartial(bucket, TITLE, JSON.parse(JSON.stringify(saved)))) merge(part);
  await add(after.run, 100, 300);
  const whole = start();
  await add(whole.run, 0, 300);
  expectEqual(await result(after), await result(whole));
});
