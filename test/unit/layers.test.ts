/** The gate itself: an import against the layers (docs/architecture.md) is an error, one along them is not; nor is a cycle let through. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const project = mkdtempSync(join(tmpdir(), "sluice-layers-"));
afterAll(() => rmSync(project, { recursive: true }));

const AGAINST = [
  ["schemas/x.ts", "../contracts/a.ts"],
  ["contracts/x.ts", "../sql/statements/a.ts"],
  ["sql/statements/x.ts", "../../lakehouse/engine/columns/a.ts"],
  ["lakehouse/bronze/x.ts", "../../durable-objects/a.ts"],
  ["lakehouse/x.ts", "../tools/build/a.ts"],
  ["lakehouse/engine/parquet/x.ts", "../../bronze/a.ts"],
  ["lakehouse/engine/columns/x.ts", "../../tables/a.ts"],
  ["lakehouse/engine/ir/x.ts", "../../../contracts/a.ts"],
  ["lakehouse/engine/ir/y.ts", "../../../gateway/a.ts"],
  ["lakehouse/bronze/y.ts", "../ledger/a.ts"],
  ["lakehouse/bronze/z.ts", "../tables/compiled/a.ts"],
  ["lakehouse/ledger/x.ts", "../tables/a.ts"],
  ["lakehouse/tables/x.ts", "../builds/silver/a.ts"],
  ["lakehouse/tables/y.ts", "../../durable-objects/a.ts"],
  ["lakehouse/builds/gates/x.ts", "../../upkeep/retention/a.ts"],
  ["lakehouse/builds/x.ts", "../lookups/a.ts"],
  ["lakehouse/upkeep/parked/x.ts", "../../lookups/dead-letters/a.ts"],
  ["lakehouse/lookups/trace/x.ts", "../../../gateway/a.ts"],
  ["durable-objects/x.ts", "../gateway/a.ts"],
  ["queue-consumers/x.ts", "../gateway/a.ts"],
  ["gateway/x.ts", "../queue-consumers/a.ts"],
  ["scheduled/x.ts", "../queue-consumers/a.ts"],
  ["gateway/w.ts", "../scheduled/a.ts"],
  ["gateway/y.ts", "../worker.ts"],
  ["gateway/z.ts", "../producers/simulators/a.ts"],
  ["producers/x.ts", "../gateway/a.ts"],
  ["builder/x.ts", "../lakehouse/engine/columns/a.ts"],
  ["builder/y.ts", "../lakehouse/builds/native/order.ts"],
  ["builder/z.ts", "../tools/progress.ts"],
  ["builder/inputs/x.ts", "../../contracts/a.ts"],
  ["gateway/builds.ts", "../builder/a.ts"],
  ["lakehouse/builds/native/x.ts", "../../../builder/a.ts"],
  ["tools/x.ts", "../test/oracle/a.ts"],
  ["worker.ts", "./tools/build/a.ts"],
] as const;
const ALONG = [
  ["contracts/good.ts", "../schemas/a.ts"],
  ["lakehouse/bronze/good.ts", "../../contracts/a.ts"],
  ["lakehouse/engine/parquet/good.ts", "../columns/a.ts"],
  ["lakehouse/engine/columns/good.ts", "../../../schemas/a.ts"],
  ["lakehouse/ledger/good.ts", "../engine/columns/a.ts"],
  ["lakehouse/tables/good.ts", "../ledger/a.ts"],
  ["lakehouse/builds/gates/good.ts", "../../tables/a.ts"],
  ["lakehouse/upkeep/compaction/good.ts", "../../builds/a.ts"],
  ["lakehouse/lookups/trace/good.ts", "../../upkeep/parked/a.ts"],
  ["gateway/good.ts", "../durable-objects/a.ts"],
  ["builder/good.ts", "../lakehouse/builds/native/wire.ts"],
  ["builder/inputs/good.ts", "../../schemas/a.ts"],
  ["tools/good.ts", "../builder/a.ts"],
  ["test/good.ts", "../worker.ts"],
] as const;

/** The diagnostics of one linter run over a project that holds every case, as text. */
function lintAll(): string {
  copyFileSync(join(root, "biome.json"), join(project, "biome.json"));
  for (const [path, target] of [...AGAINST, ...ALONG])
    write(path, `import { x } from "${target}";\n\nexport const y: unknown = x;\n`);
  write("lakehouse/cycle/a.ts", 'import { b } from "./b.ts";\n\nexport const a: unknown = b;\n');
  write("lakehouse/cycle/b.ts", 'import { a } from "./a.ts";\n\nexport const b: unknown = a;\n');
  const { stdout, stderr } = spawnSync(
    join(root, "node_modules/.bin/biome"),
    ["lint", "--vcs-enabled=false", "--reporter=github", "--max-diagnostics=none"],
    { cwd: project, encoding: "utf8" },
  );
  return stdout + stderr;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), text);
}

const lines = lintAll().split("\n");
const reported = (path: string, rule: string) =>
  lines.some((line) => line.includes(`${path},line=`) && line.includes(rule));

describe("imports go downward only", () => {
  test.each(AGAINST)("%s must not import %s", (path) => {
    expect(reported(path, "noRestrictedImports")).toBe(true);
  });
  test.each(ALONG)("%s may import %s", (path) => {
    expect(reported(path, "noRestrictedImports")).toBe(false);
  });
  test("a cycle is an error", () => {
    expect(reported("lakehouse/cycle/a.ts", "noImportCycles")).toBe(true);
  });
});
