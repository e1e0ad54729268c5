/** A model's plan as a name: two deploys whose models have the same one give the same rows of the same inputs. */
import { createHash } from "node:crypto";
import type { EdgeModel, NativeModel } from "../../engine/ir/ir.ts";

type Read = "inputs" | "grain" | "partition" | "fields";
/** What decides a model's rows. */
export type HashedModel = Pick<EdgeModel, "plan" | Read> | Pick<NativeModel, "plan" | "statement" | Read>;

/**
 * The hash of the normalised plan (of a native model: of its statement), of the columns that it reads, of which partitions it reads
 * them, and of the columns that it gives. Other words, comments, checks, bounds, a new column of an input that it does not read, or another version of the IR change nothing:
 * what was built stays good.
 */
export function planHash(model: HashedModel): string {
  const { inputs, grain, partition, fields } = model;
  const what = model.plan === null ? { statement: model.statement } : { plan: model.plan };
  const read = inputs.map(({ table, columns, relation }) => ({ table, columns: columns.toSorted(), relation }));
  const given = fields.map(({ name, type }) => ({ name, type }));
  const meaning = { ...what, read: read.toSorted((a, b) => compare(a.table, b.table)), grain, partition, given };
  return createHash("sha256").update(canonical(meaning)).digest("hex").slice(0, 32);
}

/** JSON with the names of an object in order, so that the order in which a compiler writes them says nothing. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    inner !== null && typeof inner === "object" && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => compare(a, b)))
      : inner,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
