/** The versions of a topic's schema held against each other: the contract's compatibility, and one table for all. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { AvroRecord } from "../../../schemas/avro-schema.ts";
import type { CompatibilityMode } from "../../../schemas/compatibility/modes.ts";
import { evolutionFaults } from "../../../schemas/release/evolution.ts";
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
  return versions.flatMap((candidate, index) => {
    const { incompatible, conflicts } = evolutionFaults(candidate, versions.slice(0, index), mode);
    if (incompatible.length + conflicts.length === 0) return [];
    const file = schemaFile(candidate.topic, candidate.version);
    const lines = parseYaml(file, readFileSync(join(root, file), "utf8"));
    return [
      ...incompatible.map(({ reader, writer, readerPath, writerPath, message }) => ({
        file,
        line: lines.lineOf(reader === candidate.version ? readerPath : writerPath),
        message: `v${reader} cannot read what v${writer} writes (compatibility ${mode}): ${message}`,
      })),
      ...conflicts.map(({ message }) => ({ file, line: undefined, message })),
    ];
  });
}
