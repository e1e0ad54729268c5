/** The SQL by which a model is run over a lake. Pure. */
import type { CompiledModel } from "../../../lakehouse/engine/ir/ir.ts";
import { quoteName } from "../../../schemas/sql-quoting.ts";
import { CommandProblem } from "../../command-problem.ts";

/**
 * The views of models that the lake lacks and the model reads, in the order in which they can be made, and the model's SELECT,
 * narrowed to a partition. Throws CommandProblem (USAGE) for a date that is none, or of a table of one partition.
 */
export function statementsOf(
  models: readonly CompiledModel[],
  model: CompiledModel,
  lakeTables: ReadonlySet<string>,
  { date, limit }: { readonly date: string | undefined; readonly limit: number },
): { readonly views: readonly string[]; readonly select: string } {
  const needed = new Set<string>();
  const need = ({ inputs }: CompiledModel): void => {
    for (const { table } of inputs) {
      const input = models.find(({ name }) => name === table);
      if (input === undefined || lakeTables.has(table) || needed.has(table)) continue;
      need(input);
      needed.add(table);
    }
  };
  need(model);
  const views = [...needed].map((name) => {
    const sql = models.find((each) => each.name === name)?.sql ?? "";
    return `CREATE TEMP VIEW ${quoteName(name)} AS\n${sql}\n`;
  });
  return { views, select: `SELECT * FROM (\n${model.sql}\n)${filterOf(model, date)} ORDER BY ALL LIMIT ${limit}` };
}

function filterOf({ name, grain, partition }: CompiledModel, date: string | undefined): string {
  if (date === undefined) return "";
  if (grain === "one") throw new CommandProblem("USAGE", `${name} has one partition: leave --date out.`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date))
    throw new CommandProblem("USAGE", `--date is a day such as 2026-01-31, not "${date}".`);
  return ` WHERE ${quoteName(partition)} = DATE '${date}'`;
}
