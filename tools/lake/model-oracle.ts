/** Holds a published gold table against DuckDB's own run of the model's SQL over the published silver tables (promise P12). */
import type { DuckDBConnection } from "@duckdb/node-api";
import type { CompiledModel } from "../../lakehouse/engine/ir/ir.ts";
import { quoteName } from "../../schemas/sql-quoting.ts";

/**
 * Doubles may differ by this much relative to the larger one, or to 1: DuckDB's sums depend on the order of the rows, and the
 * error of a sum of both signs does not shrink with it.
 */
const TOLERANCE = 1e-12;

export interface ModelComparison {
  /** Rows of the published table, and of DuckDB's answer. */
  readonly published: number;
  readonly expected: number;
  /** Rows that have no equal on the other side. */
  readonly differing: number;
}

export async function compareWithDuckDb(connection: DuckDBConnection, model: CompiledModel): Promise<ModelComparison> {
  const same = model.fields.map(({ name, type }) => {
    const [a, b] = [`p.${quoteName(name)}`, `e.${quoteName(name)}`];
    if (type.kind !== "float64") return `${a} IS NOT DISTINCT FROM ${b}`;
    const close = `abs(${a} - ${b}) <= ${TOLERANCE} * greatest(abs(${a}), abs(${b}), 1)`;
    return `(${a} IS NOT DISTINCT FROM ${b} OR ${close})`;
  });
  const keys = model.key.map((name) => `p.${quoteName(name)} IS NOT DISTINCT FROM e.${quoteName(name)}`);
  // A side's row is missing when the join gives it no partner: count(*) of each side says how many there are at all.
  const sql = `
    WITH p AS (SELECT *, 1 AS here FROM ${quoteName(model.name)}), e AS (SELECT *, 1 AS here FROM (
${model.sql}
))
    SELECT (SELECT count(*) FROM p) AS published, (SELECT count(*) FROM e) AS expected,
           (SELECT count(*) FROM p FULL JOIN e ON ${keys.join(" AND ")}
             WHERE p.here IS NULL OR e.here IS NULL OR NOT (${same.join(" AND ")})) AS differing`;
  await connection.run("SET threads = 1");
  const [row] = (await connection.runAndReadAll(sql)).getRowObjects();
  return {
    published: Number(row?.["published"]),
    expected: Number(row?.["expected"]),
    differing: Number(row?.["differing"]),
  };
}
