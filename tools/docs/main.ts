/** `npm run docs`: writes the pages that are made from code, and the dump of the database from its migrations. `-- --check` writes nothing and fails if one is out of date. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseCommandLine, runCommand } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { accessTable } from "./access.ts";
import { errorsPage } from "./errors.ts";
import { schemaPage } from "./schema.ts";
import { withSection } from "./section.ts";

const root = resolve(import.meta.dirname, "../..");
/** Each page from the text that it has; of some only a section is made. */
const PAGES: Readonly<Record<string, (text: string) => string>> = {
  "docs/errors.md": errorsPage,
  "docs/keys.md": (text) => withSection(text, "calls", accessTable()),
  "sql/schema.sql": () => schemaPage(join(root, "sql/migrations")),
};

await runCommand(async (argv) => {
  const { values } = parseCommandLine(argv, { options: { check: { type: "boolean", default: false } } });
  for (const [path, render] of Object.entries(PAGES)) {
    const file = join(root, path);
    const before = existsSync(file) ? readFileSync(file, "utf8") : "";
    const text = render(before);
    if (before === text) continue;
    if (values.check) throw new CommandProblem("DOCS_OUT_OF_DATE", `${path} is out of date: run \`npm run docs\`.`);
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
});
