/** What `sluice models` prints of models. Pure. */
import { type CompiledModel, isNativeOnly } from "../../../lakehouse/engine/ir/ir.ts";
import { relationText } from "../../../lakehouse/engine/ir/relation.ts";
import { printTable } from "../../lake/print-table.ts";

const COLUMNS = ["model", "layer", "class", "builder", "partition", "reads"].map((name) => ({ name, numeric: false }));

/** A table of the models, each behind what it reads. */
export function listing(models: readonly CompiledModel[]): readonly string[] {
  return printTable(
    COLUMNS,
    models.map((model) => [
      model.name,
      model.layer,
      model.class.kind,
      builderOf(model),
      model.grain === "one" ? "one" : `a ${model.grain}, ${model.partition}`,
      model.inputs.map(inputText).join(", "),
    ]),
  );
}

/** A tree of every table that a model reads and none makes. A table that several models read stands under each of its inputs. */
export function graph(models: readonly CompiledModel[]): readonly string[] {
  const made = new Set(models.map(({ name }) => name));
  const sources = new Set(
    models.flatMap(({ inputs }) => inputs.map(({ table }) => table)).filter((table) => !made.has(table)),
  );
  const branches = (table: string, depth: number): readonly string[] =>
    models.flatMap((model) => {
      const input = model.inputs.find((each) => each.table === table);
      if (input === undefined) return [];
      const line = `${"  ".repeat(depth)}└ ${model.name} (${relationText(input.relation)}, ${model.class.kind})`;
      return [line, ...branches(model.name, depth + 1)];
    });
  return [...sources].sort().flatMap((table) => [table, ...branches(table, 1)]);
}

/** Who builds the model: `auto` where its front matter leaves it open, and the edge can run it. */
export function builderOf(model: CompiledModel): "auto" | "edge" | "native" {
  return isNativeOnly(model) ? "native" : model.engine === "edge" ? "edge" : "auto";
}

const BUILDERS = {
  auto: "the edge, and by a native builder where its inputs are large (engine: auto)",
  edge: "the edge alone (engine: edge)",
  native: "a native builder: sluice builder (docs/models.md)",
} as const;

/** Why the model has its class, what it reads and what makes it stale, in sentences. */
export function explanation(model: CompiledModel): readonly string[] {
  return [
    `${model.name} (${model.file}): ${model.description}`,
    `  class ${model.class.kind}: ${model.class.reason} (${model.class.at})`,
    `  ${BUILT[model.class.kind]}`,
    `  built by ${BUILDERS[builderOf(model)]}`,
    model.grain === "one" ? "  one partition" : `  a partition a ${model.grain}, by ${model.partition}`,
    `  key ${model.key.join(", ")}: two rows of one key hold a candidate back`,
    ...limits(model),
    ...model.inputs.map((input) => `  reads ${inputText(input)}: ${input.columns.join(", ") || "no column"}`),
    `  generation ${model.generation}`,
  ];
}

/** `bytes`: what a platform has of each input, for the newest partition. */
export function sizeLines(
  sizes: readonly { readonly table: string; readonly bytes: number | undefined }[],
): readonly string[] {
  const known = sizes.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes]));
  const total = known.reduce((sum, bytes) => sum + bytes, 0);
  const open = sizes.filter(({ bytes }) => bytes === undefined).map(({ table }) => table);
  const rest = open.length === 0 ? "" : `, and what ${open.join(", ")} has, which is not published`;
  return [
    ...sizes.map(({ table, bytes }) => `  ${table}: ${bytes === undefined ? "not published" : `${bytes} bytes`}`),
    `  a build of the newest partition reads about ${total} bytes${rest}`,
  ];
}

function limits(model: CompiledModel): readonly string[] {
  if (!isNativeOnly(model) && model.plan !== null) return [`  at most ${model.maxRows} rows in a build`];
  return model.rowLimit === null ? [] : [`  at most ${model.rowLimit} rows in a partition`];
}

const BUILT = {
  rows: "each file of its input can be built by itself",
  merge: "partial results of parts of its input merge",
  whole: "a build holds all rows of a partition",
  native: "DuckDB runs its SELECT over all that a partition reads",
} as const;

function inputText({ table, relation }: CompiledModel["inputs"][number]): string {
  return relation.kind === "same" ? table : `${table} ${relationText(relation)}`;
}
