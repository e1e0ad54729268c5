/** `npm run contracts:check`: everything that `npm run compile` would refuse, and nothing is written. For CI. */
import { resolve } from "node:path";
import { compileContracts, compileSql } from "../compile.ts";
import { BuildError, type BuildProblem, renderProblem } from "../problem.ts";
import { contractNotes } from "./notes.ts";

export interface ContractsReview {
  /** A line for each contract that is as it should be. */
  readonly passed: readonly string[];
  /** What is accepted but not acted on. */
  readonly notes: readonly BuildProblem[];
  readonly problems: readonly BuildProblem[];
}

/** Checks the contracts, schemas and models under `root`. */
export async function reviewContracts(root: string): Promise<ContractsReview> {
  const project = compileContracts(root);
  const { contracts, documents, problems } = project;
  const wrong = new Set(problems.map(({ file }) => file));
  const passed = documents.flatMap(({ topic, file }) => {
    const version = contracts.find((contract) => contract.topic === topic)?.version ?? "";
    return wrong.has(file) ? [] : [`ok  ${file} (version ${version})`];
  });
  const notes = documents.flatMap(({ file, text }) => contractNotes(file, text));
  return { passed, notes, problems: problems.length > 0 ? problems : await sqlProblems() };

  async function sqlProblems(): Promise<readonly BuildProblem[]> {
    try {
      await compileSql(root, project);
      return [];
    } catch (error) {
      if (error instanceof BuildError) return error.problems;
      throw error;
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const { passed, notes, problems } = await reviewContracts(resolve(import.meta.dirname, "../../.."));
  for (const line of passed) console.log(line);
  for (const note of notes) console.log(`note  ${renderProblem(note)}`);
  for (const problem of problems) console.error(renderProblem(problem));
  if (problems.length > 0) {
    console.error(`\n${problems.length} problem${problems.length === 1 ? "" : "s"}.`);
    process.exitCode = 1;
  }
}
