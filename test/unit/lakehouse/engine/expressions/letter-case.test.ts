import { expect, test } from "vitest";
import { lowerCase, upperCase } from "../../../../../lakehouse/engine/expressions/case-mapping.ts";
import { expectEqual } from "../../../../oracle/expect-equal.ts";
import { DuckDBOracle } from "../parquet/duckdb.ts";

test("the case mapping is DuckDB's, for every code point", async () => {
  await using oracle = await DuckDBOracle.open();
  const rows = await oracle.run(
    `SELECT i::INTEGER AS point, unicode(lower(chr(i::INTEGER))) AS lower, unicode(upper(chr(i::INTEGER))) AS upper
     FROM range(128, 1114112) AS r(i)
     WHERE i NOT BETWEEN 55296 AND 57343 AND (lower(chr(i::INTEGER)) <> chr(i::INTEGER) OR upper(chr(i::INTEGER)) <> chr(i::INTEGER))`,
  );
  const changed = (column: string) =>
    rows.flatMap((row) => (row[column] === row["point"] ? [] : [[row["point"], row[column]]]));
  expect([...lowerCase]).toHaveLength(changed("lower").length);
  expectEqual([...lowerCase].sort(byFirst), changed("lower"));
  expectEqual([...upperCase].sort(byFirst), changed("upper"));
});

function byFirst(a: readonly [number, number], b: readonly [number, number]): number {
  return a[0] - b[0];
}
