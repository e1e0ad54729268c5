/** What a request is told of a catalog that fails it. */
import { expect, test } from "vitest";
import { catalog } from "../../../gateway/catalog.ts";
import { lakeAnswers } from "../../../gateway/lake-access.ts";
import { ProblemError } from "../../../gateway/problem.ts";
import { RowError } from "../../../sql/rows/row-error.ts";

const source = { table: "partition_meta", key: ["domain"], remedy: "delete the row" };
const edited = new RowError(source, { domain: "orders" }, "updated_at", "'secret'", "a UTC time");

test.each([
  ["catalog", catalog, "CATALOG_UNAVAILABLE"],
  ["lake", lakeAnswers, "LAKE_UNAVAILABLE"],
] as const)(
  "%s: a row that somebody edited is told by its table, and its values only to the log",
  async (name, ask, code) => {
    const told = async (cause: Error) => {
      const problem: unknown = await ask(() => Promise.reject(cause)).catch((error: unknown) => error);
      if (!(problem instanceof ProblemError)) throw new Error("no problem");
      expect([problem.code, problem.cause]).toEqual([code, cause]);
      return problem.message;
    };
    expect(await told(edited)).toMatch(
      /^a row of partition_meta in the catalog cannot be read: .* the log of this request/,
    );
    expect(await told(edited)).not.toContain("secret");
    expect(await told(new Error("D1_ERROR"))).toBe(`the ${name} does not answer: try again`);
  },
);
