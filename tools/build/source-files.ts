/** The files that a folder's sources are: contracts, models. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { BuildProblem } from "./problem.ts";

export interface SourceFiles {
  /** Sorted; a folder that is not there has none. */
  readonly names: readonly string[];
  readonly problems: readonly BuildProblem[];
}

/** The files of `folder` that end in `extension`. One that ends in something `like` it is a problem: it would be left out without a word. */
export function sourceFiles(root: string, folder: string, extension: string, like: RegExp): SourceFiles {
  if (!existsSync(join(root, folder))) return { names: [], problems: [] };
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory() && entry.name.endsWith(extension));
  const others = entries.filter((entry) => like.test(entry.name) && !names.includes(entry));
  return {
    names: names.map(({ name }) => name).sort(),
    problems: others.map(({ name }) => ({
      file: `${folder}/${name}`,
      line: undefined,
      message: `is not read: only files that end in ${extension} are; rename it, or move it out of ${folder}`,
    })),
  };
}
