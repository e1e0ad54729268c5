/** The inputs of a model with their relations, and what they make of its partitions. */
import type { ModelInput } from "../../../lakehouse/engine/ir/ir.ts";
import { type Grain, type Relation, relationText } from "../../../lakehouse/engine/ir/relation.ts";
import type { ModelFile } from "./front-matter.ts";
import type { Problems } from "./model-error.ts";
import { didYouMean } from "./nearest-names.ts";
import type { TableSchema } from "./planner-session.ts";

/** The tables that a statement reads, each with its relation: `same` where the front matter names none. Wrong names are reported. */
export function inputsOf(
  scanned: readonly Pick<ModelInput, "table" | "columns">[],
  file: ModelFile,
  problems: Problems,
): readonly ModelInput[] {
  const names = scanned.map(({ table }) => table);
  for (const name of Object.keys(file.frontMatter.inputs)) {
    if (names.includes(name)) continue;
    problems.report(file.offsetOf(["inputs", name]), `the SELECT does not read "${name}"`, didYouMean(name, names));
  }
  return scanned.map((input) => ({ ...input, relation: file.frontMatter.inputs[input.table] ?? { kind: "same" } }));
}

/** Whether the input's rows belong to partitions of the model, and are not looked up in it as a whole. */
export function isDated({ relation }: { readonly relation: Relation }): boolean {
  return relation.kind !== "all" && relation.kind !== "latest";
}

/** What a partition of the model spans, by its inputs; relations that do not fit each other are reported. */
export function grainOf(
  inputs: readonly ModelInput[],
  tables: readonly TableSchema[],
  file: ModelFile,
  problems: Problems,
): Grain {
  const grains = new Map<Grain, string>();
  for (const { table, relation } of inputs) {
    const own = tables.find(({ name }) => name === table)?.grain ?? "day";
    const report = (problem: string, fix: string) => problems.report(file.offsetOf(["inputs", table]), problem, fix);
    switch (relation.kind) {
      case "all":
      case "latest":
        continue;
      case "same":
        if (own === "one") {
          report(`${table} has one partition, and none of a date`, `read all of it: inputs: { ${table}: all }`);
        } else grains.set(own, table);
        continue;
      case "last":
      case "next":
        if (own !== "day")
          report(`${relationText(relation)} counts days, but ${table} has a partition a ${own}`, "read it as same");
        else grains.set("day", table);
        continue;
      case "within":
        if (own !== "day") report(`within gathers days, but ${table} has a partition a ${own}`, "read it as same");
        else grains.set(relation.unit, table);
    }
  }
  const [first, second] = grains;
  if (first === undefined) return "one";
  if (second !== undefined) {
    problems.report(
      file.offsetOf(["inputs"]),
      `a partition of the model would be a ${first[0]} by ${first[1]}, and a ${second[0]} by ${second[1]}`,
      "let all inputs give partitions of one length, such as with within, or read one of them as latest or all",
    );
  }
  return first[0];
}
