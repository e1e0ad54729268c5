/** `npm run docs`: writes the pages that are made from code. `-- --check` writes nothing and fails if one is out of date. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseCommandLine, runCommand } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { errorsPage } from "./errors.ts";

const root = resolve(import.meta.dirname, "../..");
const PAGES: Readonly<Record<string, () => string>> = { "docs/errors.md": errorsPage };

await runCommand(async (argv) => {
  const { values } = parseCommandLine(argv, { options: { check: { type: "boolean", default: false } } });
  for (const [path, render] of Object.entries(PAGES)) {
    const file = join(root, path);
    const text = render();
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    if (values.check) throw new CommandProblem("DOCS_OUT_OF_DATE", `${path} is out of date: run \`npm run docs\`.`);
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
});
