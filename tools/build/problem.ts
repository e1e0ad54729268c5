/** What the build says of a source file that is wrong: where, what, and what to do about it. */

export interface BuildProblem {
  readonly file: string;
  /** From 1; undefined when the problem is of the file as a whole. */
  readonly line: number | undefined;
  readonly message: string;
}

/** All problems of a build at once: a user mends them in one pass. */
export class BuildError extends Error {
  override readonly name = "BuildError";
  readonly problems: readonly BuildProblem[];

  constructor(problems: readonly BuildProblem[]) {
    super(problems.map(renderProblem).join("\n"));
    this.problems = problems;
  }
}

export function renderProblem(problem: BuildProblem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  return `${place}: ${problem.message}`;
}
