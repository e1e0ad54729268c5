import { type ModelFile, parseModelFile } from "./front-matter.ts";
import { offsetOfByte, Problems } from "./model-error.ts";
import { isRefusal, type PlannerSession, type TableSchema } from "./planner-session.ts";
import { type TableReference, tableReferences } from "./references.ts";
import { tableNameProblem } from "./table-name.ts";

/** A model file: its path (for names and messages; files under `sql/silver/` derive silver) and its text. */
export interface ModelSource {
  readonly path: string;
  readonly text: string;
}

/** A model file that was read, with the tables that its SELECT names. */
export interface ReadModel {
  readonly source: ModelSource;
  readonly name: string;
  readonly layer: "silver" | "gold";
  readonly file: ModelFile | undefined;
  readonly references: readonly TableReference[];
  readonly problems: Problems;
}

/** The files with their names checked, in their order. */
export async function readModels(
  sources: readonly ModelSource[],
  tables: readonly TableSchema[],
  session: PlannerSession,
): Promise<readonly ReadModel[]> {
  const topics = tables.flatMap(({ name }) => (name.startsWith("silver_") ? [name.slice("silver_".length)] : []));
  const names = new Map<string, string>();
  const models: ReadModel[] = [];
  for (const source of sources) {
    const problems = new Problems(source.path, source.text);
    const stem = source.path.replace(/^.*[\\/]/, "").replace(/\.sql$/, "");
    const layer = /(^|[\\/])sql[\\/]silver[\\/]/.test(source.path) ? "silver" : "gold";
    const name = layer === "silver" ? `silver_${stem}` : stem;
    const taken = await tableNameProblem(stem, topics, session, name);
    if (taken !== undefined) problems.report(0, taken.problem, taken.fix);
    const other = names.get(name);
    if (other !== undefined) problems.report(0, `the model ${name} is also defined by ${other}`, "rename one");
    names.set(name, source.path);
    const file = parseModelFile(source.text, problems);
    const tree = file === undefined ? [] : await session.parse(file.sql);
    models.push({ source, name, layer, file, references: isRefusal(tree) ? [] : tableReferences(tree), problems });
  }
  return models;
}

/** The offset in the file at which a model names a table. */
export function placeOf({ file, references }: ReadModel, table: string): number {
  if (file === undefined) return 0;
  const byte = references.find((reference) => reference.table === table)?.byte;
  return file.sqlOffset + (byte === undefined ? Math.max(0, file.sql.search(/\S/)) : offsetOfByte(file.sql, byte));
}
