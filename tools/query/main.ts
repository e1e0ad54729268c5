/** `npm run query -- "SQL"`: DuckDB over the local lake. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { compileProject } from "../build/compile.ts";
import { parseCommandLine, runCommand } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import type { AsOf, ReadVersion } from "../lake/catalog.ts";
import type { Lake } from "../lake/open.ts";
import type { RESULT_FORMATS, ResultFormat } from "../lake/result-format.ts";
import { type LakeSource, openSource } from "../lake/source.ts";
import { stateFolder } from "../local-platform/state.ts";
import { asOfFlag } from "./as-of.ts";
import { HELP, overview } from "./help.ts";

const root = resolve(import.meta.dirname, "../..");

await runCommand(async (argv) => {
  const { values, positionals } = parseCommandLine(argv, {
    options: {
      format: { type: "string", default: "table" },
      state: { type: "string", default: ".sluice" },
      "as-of": { type: "string" },
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
    const asOf = await asOfOf(source, values["as-of"], sql ?? "");
    const lake = await openLake({ source, cacheDir: folder.cache, ...(asOf === undefined ? {} : { asOf }) });
    if (asOf !== undefined) for (const line of readLines(asOf, lake.versions)) console.error(line);
    console.log(sql === undefined ? overview(lake.views) : formatResult(await run(lake, sql), format));
    lake.close();
  } finally {
    await source.close();
  }
});

async function asOfOf(source: LakeSource, text: string | undefined, sql: string): Promise<AsOf | undefined> {
  if (text === undefined) return undefined;
  const { readVersions } = await import("../lake/catalog.ts");
  return asOfFlag(
    text,
    sql,
    (await readVersions(source)).map(({ table }) => table),
  );
}

/** What each table that the flag speaks of is read as of. Throws CommandProblem (USAGE) for a version that cannot be read. */
function readLines(asOf: AsOf, versions: readonly ReadVersion[]): string[] {
  const line = ({ table, version, committedAt }: ReadVersion) =>
    `${table}: version ${version}, committed ${committedAt}`;
  if (asOf.time !== undefined) return versions.map(line);
  return [...asOf.versions].map(([table, asked]) => {
    const read = versions.find((each) => each.table === table);
    if (read?.version === asked) return line(read);
    const nearest =
      read === undefined ? "" : `; the nearest before it is ${read.version}, committed ${read.committedAt}`;
    throw new CommandProblem("USAGE", `${table} cannot be read as of version ${asked}${nearest}.`);
  });
}

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
