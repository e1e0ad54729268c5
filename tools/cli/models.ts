/** `sluice models`: the project's models, what they read, how they are built; and any of them run over the local lake. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { CompiledModel } from "../../lakehouse/engine/ir/ir.ts";
import { compileContracts, compileProject, compileSql } from "../build/compile.ts";
import { BuildError } from "../build/problem.ts";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { printTable } from "../lake/print-table.ts";
import { openSource } from "../lake/source.ts";
import { stateFolder } from "../local-platform/state.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import type { Command } from "./command.ts";
import { listDeployed } from "./models/deployed.ts";
import { builderOf, explanation, graph, listing, sizeLines } from "./models/describe.ts";
import { inputBytes } from "./models/input-bytes.ts";
import { statementsOf } from "./models/statements.ts";

const ROOT = resolve(import.meta.dirname, "../..");

const HELP = `sluice models list [--deployed]
sluice models graph
sluice models explain MODEL [--deployed]
sluice models run MODEL [--date 2026-01-31] [--limit 20]

list      every model with its class, who builds it, what a partition of it spans, and what it reads; with --deployed how each table stands on a
          platform: how many partitions a deploy of the project as it stands would build again, or is building
graph     the tables and what is built from them, as a tree
explain   why a model has its class and who builds it, and which partitions it reads; with --deployed how many bytes a platform has of
          them
run       the model's SELECT in DuckDB over the local lake, as the files in sql/ say it now: nothing is built or published

  --date DAY       run: only this partition
  --limit N        run: how many rows at most, 1 to 10000 (20)
  --state FOLDER   run: the local platform's folder (.sluice)
  --json           list: the answer as JSON
  --deployed       list, explain: ask a platform
${platformHelp("a key with TOPIC:read, of gold tables *:read", 19)}`;

export const command: Command = {
  summary: "lists models with their classes and inputs, explains one, runs one over the local lake",
  help: HELP,
  async run(argv) {
    const { values, positionals } = parseCommandLine(argv, {
      allowPositionals: true,
      options: {
        date: { type: "string" },
        limit: { type: "string" },
        state: { type: "string" },
        json: { type: "boolean" },
        deployed: { type: "boolean" },
        ...PLATFORM_OPTIONS,
        url: { type: "string" },
      },
    });
    const [action = "", name, ...rest] = positionals;
    const flags = {
      list: ["json", "deployed", "url", "key", "key-file"],
      graph: [],
      explain: ["deployed", "url", "key", "key-file"],
      run: ["date", "limit", "state"],
    } as const;
    const known = Object.entries(flags).find(([each]) => each === action);
    if (known === undefined || rest.length > 0 || (name !== undefined) !== (action === "explain" || action === "run"))
      throw new CommandProblem("USAGE", "sluice models list, graph, explain MODEL or run MODEL; --help says more.");
    const wrong = Object.keys(values).find((flag) => !known[1].some((each) => each === flag));
    if (wrong !== undefined) throw new CommandProblem("USAGE", `sluice models ${action} has no --${wrong}.`);
    if (!values.deployed && [values.url, values.key, values["key-file"]].some((flag) => flag !== undefined))
      throw new CommandProblem("USAGE", "sluice models list and explain ask a platform with --deployed alone.");
    const models = await compiledModels();
    if (values.deployed && action === "list") return listDeployed(values);
    if (name === undefined) {
      const text =
        action === "graph" ? graph(models) : values.json ? [JSON.stringify(models.map(summaryOf))] : listing(models);
      return console.log(text.join("\n"));
    }
    const model = models.find((each) => each.name === name);
    if (model === undefined) {
      const names = models.map((each) => each.name).join(", ");
      throw new CommandProblem("USAGE", `There is no model "${name}". There are: ${names}.`);
    }
    if (action === "explain") {
      console.log(explanation(model).join("\n"));
      if (!values.deployed) return;
      const platform = platformOf({ ...values, url: values.url ?? PLATFORM_OPTIONS.url.default });
      return console.log(sizeLines(await inputBytes(platform, model)).join("\n"));
    }
    const limit = integerFlag("limit", values.limit ?? "20", 1, 10_000);
    await run(models, model, { date: values.date, limit, state: values.state ?? ".sluice" });
  },
};

function summaryOf(model: CompiledModel) {
  const { name, layer, file, description, engine, grain, inputs, class: own } = model;
  return {
    name,
    layer,
    file,
    description,
    class: own,
    engine,
    builder: builderOf(model),
    grain,
    inputs: inputs.map(({ table, relation }) => ({ table, relation })),
  };
}

async function compiledModels(): Promise<readonly CompiledModel[]> {
  try {
    const project = compileContracts(ROOT);
    if (project.problems.length > 0) throw new BuildError(project.problems);
    return (await compileSql(ROOT, project)).models;
  } catch (error) {
    if (error instanceof BuildError) throw new CommandProblem("MODELS_REFUSED", error.message);
    throw error;
  }
}

async function run(
  models: readonly CompiledModel[],
  model: CompiledModel,
  { date, limit, state }: { readonly date: string | undefined; readonly limit: number; readonly state: string },
): Promise<void> {
  // The lake knows the topics from the compiled contracts, which a clean checkout does not have yet.
  if (!existsSync(join(ROOT, "contracts/contracts.generated.ts"))) await compileProject(ROOT);
  const folder = stateFolder(resolve(ROOT, state));
  const source = await openSource(folder);
  try {
    const { openLake } = await import("../lake/open.ts");
    const lake = await openLake({ source, cacheDir: folder.cache, stateTables: [] });
    const there = new Set(lake.views.map((view) => view.name));
    const { views, select } = statementsOf(models, model, there, { date, limit });
    for (const view of views) await lake.connection.run(view);
    const result = await lake.connection.runAndReadAll(select);
    const columns = result.columnNames().map((column) => ({ name: column, numeric: false }));
    const rows = result.getRowsJson().map((row) => row.map((value) => (value === null ? null : textOf(value))));
    console.log(printTable(columns, rows).join("\n"));
    console.log(
      `${rows.length} row${rows.length === 1 ? "" : "s"}${rows.length === limit ? `, as many as --limit ${limit} shows` : ""}`,
    );
    lake.close();
  } catch (error) {
    if (error instanceof CommandProblem) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandProblem("QUERY_FAILED", message, { cause: error });
  } finally {
    await source.close();
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
