/**
 * Contracts, schemas and models to the modules that the Worker imports (`npm run compile`). The files that are written end in
 * `.generated.ts` and are not committed; a deploy is the release of a contract.
 */
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../../contracts/contract.ts";
import type { CompiledModel } from "../../lakehouse/engine/ir/ir.ts";
import { LEDGER_FIELDS, LEDGER_PARTITION, LEDGER_TABLE } from "../../lakehouse/ledger/table.ts";
import type { CompiledCheck } from "../../lakehouse/tables/compiled/compiled-check.ts";
import { RECORD_HASH_FIELD, silverFields, silverTableName } from "../../lakehouse/tables/silver-columns.ts";
import type { SchemaRelease } from "../../schemas/avro-schema.ts";
import { tableSchema } from "../../schemas/compatibility/table-schema.ts";
import { compileContract } from "./contracts/compile.ts";
import { type ContractDocument, renderDocuments } from "./contracts/documents.ts";
import { renderTopicEvents } from "./contracts/render-topic-events.ts";
import { compileModels, duckdbVersion, type TableSchema } from "./models/compile-models.ts";
import { ModelErrors } from "./models/model-error.ts";
import { renderModels } from "./models/render-models.ts";
import { BuildError, type BuildProblem } from "./problem.ts";
import { compileChecks, type TopicChecks } from "./quality/compile-checks.ts";
import { planProblemsOf, startProblems } from "./schemas/admission.ts";
import { evolutionProblems } from "./schemas/evolution.ts";
import { loadSchemas } from "./schemas/load.ts";
import { sourceFiles } from "./source-files.ts";

const HEADER = "// Written by `npm run compile`. Do not edit: change the contract or the schema instead.\n";

/** The contracts and schemas under a root, compiled. */
export interface CompiledContracts {
  readonly contracts: readonly Contract[];
  readonly checks: readonly TopicChecks[];
  readonly documents: readonly ContractDocument[];
  readonly releases: readonly SchemaRelease[];
  /** Everything that is wrong; what it concerns may lack in the rest. */
  readonly problems: readonly BuildProblem[];
}

/** Compiles the contracts and schemas under `root`, without the models, and writes nothing. */
export function compileContracts(root: string): CompiledContracts {
  const problems: BuildProblem[] = [];
  const schemas = loadSchemas(root);
  problems.push(...schemas.problems);

  const contracts: Contract[] = [];
  const checks: TopicChecks[] = [];
  const topics = new Map<string, string>();
  const documents: ContractDocument[] = [];
  const sources = sourceFiles(root, "contracts", ".yaml", /\.ya?ml$/i);
  problems.push(...sources.problems);
  for (const name of sources.names) {
    const file = `contracts/${name}`;
    const text = readFileSync(join(root, file), "utf8");
    const compiled = compileContract({ file, text }, schemas.releases);
    if (!compiled.ok) {
      problems.push(...compiled.problems);
      continue;
    }
    const { topic } = compiled.contract;
    const other = topics.get(topic);
    if (other !== undefined)
      problems.push({
        file,
        line: undefined,
        message: `describes topic ${topic}, as ${other} does; a topic has one contract`,
      });
    if (name !== `${topic}.yaml`)
      problems.push({ file, line: undefined, message: `describes topic ${topic}: name it contracts/${topic}.yaml` });
    topics.set(topic, file);
    contracts.push(compiled.contract);
    checks.push({ topic, checks: compiled.checks });
    documents.push({ topic, file, text });
  }
  const impossible = planProblemsOf(root, schemas.releases);
  problems.push(...impossible);
  for (const contract of contracts) {
    const versions = contract.schemas.flatMap(({ id }) => schemas.releases.filter((release) => release.id === id));
    problems.push(...evolutionProblems(root, versions, contract.compatibility));
    const file = topics.get(contract.topic) ?? "contracts";
    if (impossible.length === 0) problems.push(...startProblems(file, contract, versions));
  }
  return { contracts, checks, documents, releases: schemas.releases, problems };
}

/** Compiles everything under `root`; throws `BuildError` with every problem found. */
export async function compileProject(root: string): Promise<void> {
  const project = compileContracts(root);
  const { contracts, documents, releases, problems } = project;
  if (problems.length > 0) throw new BuildError(problems);
  const { models, checks } = await compileSql(root, project);

  const written: Readonly<Record<string, string>> = {
    "schemas/releases.generated.ts": `${HEADER}import type { SchemaRelease } from "./avro-schema.ts";\n\nexport const releases: readonly SchemaRelease[] = ${parsedAtStart(releases)};\n`,
    "contracts/documents/documents.generated.ts": renderDocuments(documents),
    "lakehouse/tables/compiled/models.generated.ts": renderModels(models, await duckdbVersion()),
    "lakehouse/tables/compiled/checks.generated.ts": `${HEADER}import type { CompiledCheck } from "./compiled-check.ts";\n\nexport const compiledChecks: readonly CompiledCheck[] = ${parsedAtStart(checks)};\n`,
    "producers/client/topic-events.generated.ts": `${HEADER}${renderTopicEvents(contracts, releases)}`,
    "contracts/contracts.generated.ts": `${HEADER}import type { Contract } from "./contract.ts";\n\nexport const contracts: readonly Contract[] = ${parsedAtStart(contracts)};\n`,
  };
  for (const [file, text] of Object.entries(written)) writeIfChanged(join(root, file), text);
  // An earlier version of the project wrote elsewhere: what it left is in no commit, and its imports may lead nowhere.
  for (const file of globSync("{contracts,schemas,lakehouse,producers}/**/*.generated.ts", { cwd: root }))
    if (written[file.replaceAll("\\", "/")] === undefined) rmSync(join(root, file));
}

/** What is compiled with DuckDB. */
export interface CompiledSql {
  readonly models: readonly CompiledModel[];
  readonly checks: readonly CompiledCheck[];
}

/**
 * Models read silver, whose columns are what the contracts just compiled to, and each other; checks read bronze, silver and
 * gold. Throws `BuildError`.
 */
export async function compileSql(
  root: string,
  project: Pick<CompiledContracts, "contracts" | "checks" | "releases">,
): Promise<CompiledSql> {
  const silver: TableSchema[] = project.contracts.map((contract) => {
    const versions = contract.schemas.flatMap(({ id }) => project.releases.filter((release) => release.id === id));
    return {
      name: silverTableName(contract.topic),
      partition: contract.partition.column,
      fields: silverFields(contract, tableSchema(versions.map((release) => release.schema)).schema),
      key: contract.dedupeKey,
    };
  });
  // Bronze is measured as silver's build reads it: today's columns, before any is derived.
  const bronze = silver.map(({ name, partition, fields }) => ({
    name: name.replace(/^silver_/, "bronze_"),
    partition,
    fields: fields.filter((field) => field !== RECORD_HASH_FIELD),
  }));
  const ledger = { name: LEDGER_TABLE, partition: LEDGER_PARTITION, fields: LEDGER_FIELDS };
  const models = await compileModelFiles(root, [...silver, ledger]);
  const { compiled, problems } = await compileChecks(project.checks, [...bronze, ...silver], models);
  if (problems.length > 0) throw new BuildError(problems);
  return { models, checks: compiled };
}

async function compileModelFiles(root: string, tables: readonly TableSchema[]): Promise<readonly CompiledModel[]> {
  const folders = ["sql/silver", "sql/gold"].filter((folder) => existsSync(join(root, folder)));
  const files = folders.map((folder) => ({ folder, ...sourceFiles(root, folder, ".sql", /\.sql$/i) }));
  const problems = files.flatMap((found) => found.problems);
  if (problems.length > 0) throw new BuildError(problems);
  const sources = files.flatMap(({ folder, names }) =>
    names.map((name) => ({ path: `${folder}/${name}`, text: readFileSync(join(root, folder, name), "utf8") })),
  );
  try {
    return await compileModels({ models: sources, tables });
  } catch (error) {
    if (!(error instanceof ModelErrors)) throw error;
    throw new BuildError(
      error.errors.map(({ file, line, column, problem, fix }) => ({
        file,
        line,
        message: `column ${column}: ${problem}; ${fix}`,
      })),
    );
  }
}

/** An expression that gives the value: a JSON text is read at start-up in half the time of the same literal (`npm run bench -- startup`). */
function parsedAtStart(value: unknown): string {
  return `JSON.parse(${JSON.stringify(JSON.stringify(value))})`;
}

// A watcher (`wrangler dev`) that sees an unchanged file touched would build for ever.
function writeIfChanged(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  writeFileSync(file, text);
}
