/** The versions of a topic's schema held against each other: the contract's compatibility, and one table for all. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AvroRecord } from "../../../schemas/avro-schema.ts";
import { type CompatibilityMode, incompatibilities } from "../../../schemas/compatibility/modes.ts";
import { tableSchema } from "../../../schemas/compatibility/table-schema.ts";
import { parseYaml } from "../contracts/yaml-document.ts";
import type { BuildProblem } from "../problem.ts";
import { schemaFile } from "./load.ts";

export interface TopicVersion {
  readonly topic: string;
  readonly version: number;
  readonly schema: AvroRecord;
}

/** What is wrong with the versions (oldest first) of one topic, by file and line of the newer of two that disagree. */
export function evolutionProblems(
  root: string,
  versions: readonly TopicVersion[],
  mode: CompatibilityMode,
): BuildProblem[] {
  const problems = versions.flatMap((candidate, index) => {
    const found = incompatibilities(candidate, versions.slice(0, index), mode);
    if (found.length === 0) return [];
    const file = schemaFile(candidate.topic, candidate.version);
    const lines = parseYaml(file, readFileSync(join(root, file), "utf8"));
    return found.map(({ reader, writer, readerPath, writerPath, message }) => ({
      file,
      line: lines.lineOf(reader === candidate.version ? readerPath : writerPath),
      message: `v${reader} cannot read what v${writer} writes (compatibility ${mode}): ${message}`,
    }));
  });
  const newest = versions.at(-1);
  if (newest === undefined || problems.length > 0) return problems;
  const { conflicts } = tableSchema(versions.map(({ schema }) => schema));
  const file = schemaFile(newest.topic, newest.version);
  return conflicts.map(({ message }) => ({ file, line: undefined, message }));
}
