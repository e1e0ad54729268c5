/** What `sluice new-topic` left to fill in and nobody did: a released schema never changes again, placeholders included. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { BuildProblem } from "../problem.ts";
import { sourceFiles } from "../source-files.ts";
import type { TopicSchemas } from "./release.ts";

/** As the templates have it: `FILL: ...`, `FILL or remove: ...`. */
const MARKER = /\bFILL(?: or remove)?:/;

/**
 * A problem for each line with a marker in the files of topics that have a schema to release: the contract, those schemas,
 * and the models that read the topic's silver table.
 */
export function unfilledProblems(root: string, topics: readonly TopicSchemas[]): BuildProblem[] {
  return topics
    .filter(({ candidates }) => candidates.length > 0)
    .flatMap(({ topic, candidates }) => [
      `contracts/${topic}.yaml`,
      ...candidates.map(({ file }) => file),
      ...modelsOf(root, topic),
    ])
    .flatMap((file) => markedLines(root, file));
}

function modelsOf(root: string, topic: string): string[] {
  const reads = new RegExp(`\\bsilver_${topic}\\b`);
  return sourceFiles(root, "sql/gold", ".sql", /\.sql$/i)
    .names.map((name) => `sql/gold/${name}`)
    .filter((file) => reads.test(readFileSync(join(root, file), "utf8")));
}

function markedLines(root: string, file: string): BuildProblem[] {
  if (!existsSync(join(root, file))) return [];
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  return lines.flatMap((text, index) => {
    const at = MARKER.exec(text)?.index;
    if (at === undefined) return [];
    const left = text.slice(at).trim().slice(0, 60);
    return [{ file, line: index + 1, message: `still says "${left}": fill it in and remove the marker` }];
  });
}
