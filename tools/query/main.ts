/** `npm run query -- "SQL"`: DuckDB over the local lake. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { compileProject } from "../build/compile.ts";
import { parseCommandLine, runCommand } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import type { Lake } from "../lake/open.ts";
import type { RESULT_FORMATS, ResultFormat } from "../lake/result-format.ts";
import { openSource } from "../lake/source.ts";
import { stateFolder } from "../local-platform/state.ts";
import { HELP, overview } from "./help.ts";

const root = resolve(import.meta.dirname, "../..");

await runCommand(async (argv) => {
  const { values, positionals } = parseCommandLine(argv, {
    options: {
      format: { type: "string", default: "table" },
      state: { type: "string", default: ".sluice" },
      help: { type: "boolean", default: false },
    },
    allowPositionals: true,
  });
  if (values.help) return console.log(HELP);
  const [sql, ...more] = positionals;
  if (more.length > 0) {
    throw new CommandProblem(
      "USAGE",
      'There is more than one argument: put the SQL in quotes, npm run query -- "SELECT 1".',
    );
  }
  const { formatResult, RESULT_FORMATS } = await import("../lake/result-format.ts");
  const format = formatOf(RESULT_FORMATS, values.format);
  const folder = stateFolder(resolve(root, values.state));
  const source = await openSource(folder);
  try {
    // The lake knows the topics from the compiled contracts, which a clean checkout does not have yet.
    if (!existsSync(join(root, "contracts/contracts.generated.ts"))) await compileProject(root);
    const { openLake } = await import("../lake/open.ts");
    const lake = await openLake({ source, cacheDir: folder.cache });
    console.log(sql === undefined ? overview(lake.views) : formatResult(await run(lake, sql), format));
    lake.close();
  } finally {
    await source.close();
  }
});

async function run(lake: Lake, sql: string) {
  try {
    return await lake.connection.runAndReadAll(sql);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const names = lake.views.map((view) => view.name).join(", ");
    const hint = /^Catalog Error: Table .* does not exist/.test(message) ? `\n\nThere are: ${names}` : "";
    throw new CommandProblem("QUERY_FAILED", message + hint, { cause: error });
  }
}

function formatOf(formats: typeof RESULT_FORMATS, text: string): ResultFormat {
  const format = formats.find((name) => name === text);
  if (format !== undefined) return format;
  throw new CommandProblem("USAGE", `--format is one of ${formats.join(", ")}, not "${text}".`);
}
