/** What the Worker makes of contracts and schemas when it starts, made by the build: nothing that is released keeps it from starting. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Contract } from "../../../contracts/contract.ts";
import { createAdmitter } from "../../../gateway/admit/admitter.ts";
import { planProblems } from "../../../gateway/admit/plan-limits.ts";
import type { SchemaRelease } from "../../../schemas/avro-schema.ts";
import { parseYaml } from "../contracts/yaml-document.ts";
import type { BuildProblem } from "../problem.ts";
import type { TopicVersion } from "./evolution.ts";
import { schemaFile } from "./load.ts";

/** Versions that admission could not encode, by file and line. */
export function planProblemsOf(root: string, versions: readonly TopicVersion[]): BuildProblem[] {
  return versions.flatMap(({ topic, version, schema }) => {
    const found = planProblems(schema);
    if (found.length === 0) return [];
    const file = schemaFile(topic, version);
    const lines = parseYaml(file, readFileSync(join(root, file), "utf8"));
    return found.map(({ path, message }) => ({ file, line: lines.lineOf(path), message }));
  });
}

/**
 * Whatever else keeps a topic from starting; `file` is the contract's. Each known cause has a check with a line of its own: this one
 * is for those that nobody thought of.
 */
export function startProblems(file: string, contract: Contract, versions: readonly SchemaRelease[]): BuildProblem[] {
  try {
    for (const release of versions) createAdmitter(contract, release);
    return [];
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    return [{ file, line: undefined, message: `the gateway could not start with it: ${cause}` }];
  }
}
