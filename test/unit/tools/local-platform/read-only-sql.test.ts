import { describe, expect, it } from "vitest";
import { refusalOfWrite } from "../../../../tools/local-platform/read-only-sql.ts";

describe("refusalOfWrite", () => {
  it.each([
    "SELECT 1",
    "  -- a comment; DELETE FROM t\n select * from runs ;",
    "WITH a AS (SELECT 1) SELECT * FROM a",
    "VALUES (1), (2)",
    "SELECT 'DELETE FROM t; ''x'' INSERT'",
    'SELECT "update", [delete], `insert` FROM t',
    "SELECT replace(x, 'a', 'b') FROM t /* ; UPDATE t */",
    "EXPLAIN QUERY PLAN SELECT 1",
  ])("lets pass: %s", (sql) => expect(refusalOfWrite(sql)).toBeUndefined());

  it.each([
    "",
    ";",
    "DELETE FROM runs",
    "PRAGMA writable_schema = 1",
    "ATTACH 'x' AS y",
    "SELECT 1; DELETE FROM runs",
    "SELECT 1;;SELECT 2",
    "WITH a AS (SELECT 1) DELETE FROM runs",
    "with a as (select 1) replace into runs select * from a",
    "WITH a AS (SELECT 1) INSERT INTO runs SELECT * FROM a",
    "/* SELECT */ DROP TABLE runs",
    "SELECT 'it''s'; UPDATE runs SET x = 1",
  ])("refuses: %s", (sql) => expect(refusalOfWrite(sql)).toEqual(expect.any(String)));
});
