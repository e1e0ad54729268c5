import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { renderProblem } from "../../../tools/build/problem.ts";
import { sourceFiles } from "../../../tools/build/source-files.ts";

test("what looks like a source and would be left out is named; folders that are absent have none", () => {
  const root = mkdtempSync(join(tmpdir(), "sluice-sources-"));
  try {
    mkdirSync(join(root, "sql/gold/old.sql"), { recursive: true });
    for (const name of ["b.sql", "a.sql", "Daily.SQL", "README.md"]) writeFileSync(join(root, "sql/gold", name), "");
    const { names, problems } = sourceFiles(root, "sql/gold", ".sql", /\.sql$/i);
    expect(names).toEqual(["a.sql", "b.sql"]);
    const rest = "is not read: only files that end in .sql are; rename it, or move it out of sql/gold";
    expect(problems.map(renderProblem).sort()).toEqual([`sql/gold/Daily.SQL: ${rest}`, `sql/gold/old.sql: ${rest}`]);
    expect(sourceFiles(root, "contracts", ".yaml", /\.ya?ml$/i)).toEqual({ names: [], problems: [] });
  } finally {
    rmSync(root, { recursive: true });
  }
});
