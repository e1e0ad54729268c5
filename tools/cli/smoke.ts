/** `sluice smoke`: whether a deployment works, seen from outside. */
import { resolve } from "node:path";
import { parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { printTable } from "../lake/print-table.ts";
import { KEY_OPTIONS, keyHelp, keyOf, warnOfPlainHttp } from "../platform-address.ts";
import { readEnvironment } from "../provision/environment.ts";
import type { Command } from "./command.ts";
import { type CheckResult, smokeChecks } from "./smoke/checks.ts";

const HELP = `sluice smoke [flags]

Asks a deployment for its health and its topics, and lets it judge the example event of each topic's contract (a dry run:
nothing is stored). Exit code 1 if anything is wrong.

  --env NAME       the environment that must answer; its address is the route in wrangler.toml, if there is one
  --url URL        the platform (the environment's route, SLUICE_URL, else http://127.0.0.1:8787)
${keyHelp("a key with the scope *:write", 19)}
  --write TOPIC    also stores one example event in TOPIC, for good`;

const root = resolve(import.meta.dirname, "../..");
const LOCAL_URL = "http://127.0.0.1:8787";

export const command: Command = {
  summary: "checks a deployment from outside",
  help: HELP,
  async run(argv) {
    const { values } = parseCommandLine(argv, {
      options: {
        env: { type: "string" },
        url: { type: "string" },
        write: { type: "string" },
        ...KEY_OPTIONS,
      },
    });
    const url = await addressOf(values.url ?? process.env["SLUICE_URL"], values.env);
    const key = keyOf(values);
    warnOfPlainHttp(new URL(url));
    const results: CheckResult[] = [];
    const target = { url, key, environment: values.env, write: values.write };
    for await (const result of smokeChecks(fetch, target)) results.push(result);

    console.log(table(results).join("\n"));
    const failed = results.filter(({ ok }) => !ok);
    for (const { check, detail } of failed) console.log(`\n${check}: ${detail}`);
    console.log(`\n${url}: ${results.length - failed.length} of ${results.length} checks passed`);
    if (failed.length > 0) process.exitCode = 1;
  },
};

/** As given, else of the environment's route, else the local platform's. Throws CommandProblem (USAGE). */
async function addressOf(given: string | undefined, env: string | undefined): Promise<string> {
  if (given !== undefined && given !== "") {
    if (URL.canParse(given) && /^https?:/.test(given)) return given.replace(/\/+$/, "");
    throw new CommandProblem("USAGE", `--url takes an address such as ${LOCAL_URL}, not "${given}".`);
  }
  if (env === undefined || env === "local") return LOCAL_URL;
  const { url } = await readEnvironment(root, env);
  if (url !== undefined) return url;
  throw new CommandProblem(
    "USAGE",
    `wrangler.toml has no route for ${env}: give --url, such as the address that wrangler deploy printed.`,
  );
}

function table(results: readonly CheckResult[]): string[] {
  const columns = ["check", "result", "detail"].map((name) => ({ name, numeric: false }));
  return printTable(
    columns,
    results.map(({ check, ok, detail }) => [check, ok ? "ok" : "FAILED", detail]),
  );
}
