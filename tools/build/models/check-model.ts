import type { Expression, IrType, ModelInput, Plan } from "../../../lakehouse/engine/ir/ir.ts";
import { isScalar, sqlName } from "../../../lakehouse/engine/ir/ir-types.ts";
import { type Grain, relationText } from "../../../lakehouse/engine/ir/relation.ts";
import { checkJoins } from "./check-joins.ts";
import { type DecodeContext, reportAt } from "./decode-context.ts";
import type { ModelFile } from "./front-matter.ts";
import { expressionsOf, holdsNode, limitsAreTotal, type Origin, originsOf } from "./lineage.ts";
import { isDated } from "./model-inputs.ts";
import { didYouMean } from "./nearest-names.ts";
import type { TableSchema } from "./planner-session.ts";

/** A model whose plan was decoded, before its promises are checked. */
export interface PlannedModel {
  readonly file: ModelFile;
  readonly plan: Plan;
  readonly columns: readonly { readonly name: string; readonly type: IrType }[];
  readonly tables: readonly TableSchema[];
  readonly inputs: readonly ModelInput[];
  readonly grain: Grain;
  readonly context: DecodeContext;
}

/** Checks what the front matter says against what the SELECT gives. False when a problem was reported. */
export function checkModel(model: PlannedModel): boolean {
  checkColumns(model);
  checkNames(model);
  checkPartition(model);
  checkLimits(model);
  checkJoins(model.plan, model.tables, model.inputs, model.context);
  return model.context.problems.none;
}

/** The columns of a SELECT: each with a name of its own, and a type that tables have. */
export function checkColumns({ columns, context }: Pick<PlannedModel, "columns" | "context">): void {
  const seen = new Set<string>();
  for (const { name, type } of columns) {
    if (seen.has(name.toLowerCase()))
      reportAt(context, undefined, `two columns are named "${name}"`, "name one with AS");
    seen.add(name.toLowerCase());
    checkStorable(name, type, context);
  }
}

function checkStorable(name: string, type: IrType, context: DecodeContext): void {
  switch (type.kind) {
    case "hugeint":
      reportAt(
        context,
        undefined,
        `column "${name}" is a HUGEINT, which Parquet does not hold`,
        `cast it: ${name}::BIGINT`,
      );
      return;
    case "interval":
      reportAt(context, undefined, `column "${name}" is an INTERVAL`, `take its seconds: epoch(${name})`);
      return;
    case "timestamp":
      reportAt(context, undefined, `column "${name}" is a TIMESTAMP without a zone`, "cast it to DATE or TIMESTAMPTZ");
      return;
    case "list":
      checkStorable(name, type.item, context);
      return;
    case "struct":
      for (const field of type.fields) checkStorable(name, field.type, context);
  }
}

/** The columns that the front matter names. */
export function checkNames({
  file,
  columns,
  grain,
  context,
}: Pick<PlannedModel, "file" | "columns" | "grain" | "context">): void {
  const { frontMatter } = file;
  const names = columns.map((column) => column.name);
  const require = (name: string, path: readonly (string | number)[], what: string): void => {
    if (!names.includes(name)) {
      context.problems.report(
        file.offsetOf(path),
        `the ${what} "${name}" is no column of the SELECT`,
        didYouMean(name, names),
      );
    }
  };
  const { partition } = frontMatter;
  if (partition !== undefined) require(partition, ["partition"], "partition column");
  frontMatter.key.forEach((name, index) => {
    require(name, ["key", index], "key column");
    const type = columns.find((column) => column.name === name)?.type;
    if (type !== undefined && !isScalar(type)) {
      context.problems.report(
        file.offsetOf(["key", index]),
        `the key column "${name}" is a ${sqlName(type)}`,
        "leave it out of the key",
      );
    }
  });
  if (partition !== undefined && !frontMatter.key.includes(partition)) {
    context.problems.report(
      file.offsetOf(["key"]),
      `the key lacks the partition column "${partition}"`,
      "add it: partitions are built apart, so that no key can be unique across them",
    );
  }
  frontMatter.checks.forEach((check, index) => {
    if (check.when === "closing" && grain === "one")
      context.problems.report(
        file.offsetOf(["checks", index, "when"]),
        "the model has one partition, and that never closes, so that the check would never be judged",
        "write when: increment, or leave it out",
      );
    if ("column" in check) require(check.column, ["checks", index, "column"], "checked column");
    if ("columns" in check) {
      check.columns.forEach((name, at) => {
        require(name, ["checks", index, "columns", at], "checked column");
      });
    }
  });
}

/**
 * A partition is built from the partitions of the inputs that their relations name. Of inputs read by the same date that gives
 * the rows of the SELECT over the whole tables only when the partition column goes through every operator unchanged. A model
 * with other relations makes its partition column itself, and a build keeps the rows of its own partition.
 */
function checkPartition(model: PlannedModel): void {
  const { plan, columns, tables, inputs, context, file } = model;
  const named = namedPartition(model);
  if (named === undefined) return;
  const index = columns.findIndex(({ name }) => name === named);
  if (index < 0) return;
  const own = inputs.find((input) => isDated(input) && input.relation.kind !== "same");
  if (own !== undefined) {
    const { relation } = own;
    const isFirst = (expression: Expression) => relation.kind !== "within" || isFirstDayOf(relation.unit, expression);
    checkMadePartition(model, named, own, () => expressionsOf(plan, index).every(isFirst));
    return;
  }
  for (const origin of originsOf(plan, index)) {
    const problem = partitionProblem(origin, tables, inputs);
    if (problem !== undefined) reportPassing(file, named, problem, context);
  }
}

type PartitionOf = Pick<PlannedModel, "file" | "columns" | "inputs" | "grain" | "context">;

/** The partition column that the front matter names; undefined in a model of one partition, and where a problem was reported. */
export function namedPartition({ file, inputs, grain, context }: PartitionOf): string | undefined {
  const name = file.frontMatter.partition;
  if (grain === "one") {
    if (name !== undefined)
      context.problems.report(
        file.offsetOf(["partition"]),
        `the model has one partition, since it reads its inputs as a whole, but names the partition column "${name}"`,
        "leave partition out, or read an input by date, such as same",
      );
    return undefined;
  }
  if (name === undefined)
    context.problems.report(
      file.offsetOf([]),
      `the partition column is missing: the model reads ${inputs.find(isDated)?.table ?? "its input"} by date`,
      "name the column of the SELECT that has the date: partition: COLUMN",
    );
  return name;
}

/** The partition column of a model that reads `input` by other dates than its own: it makes the date of each row. */
export function checkMadePartition(
  { file, columns, grain, context }: PartitionOf,
  name: string,
  { table, relation }: ModelInput,
  isFirstDay: () => boolean,
): void {
  const read = `but ${table} is read as ${relationText(relation)}`;
  const type = columns.find((column) => column.name === name)?.type;
  if (type?.kind !== "date")
    context.problems.report(
      file.offsetOf(["partition"]),
      `the partition column "${name}" is no DATE, ${read}`,
      `let it be the first day of the partition: ${name}::DATE`,
    );
  else if (!isFirstDay())
    context.problems.report(
      file.offsetOf(["partition"]),
      `the partition column "${name}" is not the first day of its ${grain} in every row, ${read}`,
      `write date_trunc('${grain}', ...)::DATE AS ${name}`,
    );
}

export function reportPassing(file: ModelFile, name: string, problem: string, context: DecodeContext): void {
  context.problems.report(
    file.offsetOf(["partition"]),
    `the partition column "${name}" is ${problem}`,
    "pass the partition column of every input through, unchanged, and group by it",
  );
}

function isFirstDayOf(unit: string, expression: Expression): boolean {
  if (expression.node === "cast") return isFirstDayOf(unit, expression.arg);
  if (expression.node !== "call" || expression.name !== "date_trunc") return false;
  const [what] = expression.args;
  return what?.node === "constant" && String(what.value).toLowerCase() === unit;
}

/** Why what a column is cannot be the partition column; undefined where it can. */
export function partitionProblem(
  origin: Origin,
  tables: readonly TableSchema[],
  inputs: readonly ModelInput[],
): string | undefined {
  if ("computed" in origin)
    return origin.computed === "no column"
      ? "not a column of an input"
      : `${origin.computed}, not a column of an input`;
  const partition = tables.find((table) => table.name === origin.table)?.partition;
  const input = inputs.find(({ table }) => table === origin.table);
  if (input !== undefined && !isDated(input))
    return `${origin.table}.${origin.column}, but ${origin.table} is read as ${relationText(input.relation)}`;
  if (origin.column === partition) return undefined;
  return `${origin.table}.${origin.column}, but ${origin.table} is partitioned by ${partition ?? "nothing"}`;
}

function checkLimits({ file, plan, inputs, context }: PlannedModel): void {
  if (holdsNode(plan, "limit")) checkLimit({ file, inputs, context }, limitsAreTotal(plan, context.keyOf));
}

/** A LIMIT over rows of `inputs`; `isTotal`: their order leaves no ties. */
export function checkLimit(
  { file, inputs, context }: Pick<PlannedModel, "file" | "inputs" | "context">,
  isTotal: boolean,
): void {
  const other = inputs.find((input) => isDated(input) && input.relation.kind !== "same");
  if (other !== undefined) {
    reportAt(
      context,
      undefined,
      `LIMIT would count rows of other partitions too: ${other.table} is read as ${relationText(other.relation)}`,
      "limit in a model of its own, which reads this one",
    );
    return;
  }
  if (!file.frontMatter.limit_per_partition && inputs.some(isDated)) {
    reportAt(
      context,
      undefined,
      "LIMIT counts the rows of the whole table, but a model is built partition by partition",
      "if the first rows of each partition are meant, say limit_per_partition: true in the front matter",
    );
  }
  if (!isTotal) {
    reportAt(
      context,
      undefined,
      "LIMIT without a total order keeps rows by chance",
      "ORDER BY all group columns, or all columns",
    );
  }
}
