/** An `.avsc` file as a schema that can be released, its faults by file and line. */
import type { AvroRecord } from "../../../schemas/avro-schema.ts";
import { readSchemaText } from "../../../schemas/release/read.ts";
import { parseYaml } from "../contracts/yaml-document.ts";
import type { BuildProblem } from "../problem.ts";

/** The record is absent if the file holds none; `file` is for the problems. */
export function parseAvsc(
  file: string,
  text: string,
): { readonly record?: AvroRecord; readonly problems: readonly BuildProblem[] } {
  const { record, faults } = readSchemaText(text);
  // JSON is YAML too: its reader knows on which line a value stands, and where a key is there twice.
  const lines = faults.length === 0 ? undefined : parseYaml(file, text);
  if (lines === undefined) return record === undefined ? { problems: [] } : { record, problems: [] };
  const problems =
    lines.problems.length > 0
      ? lines.problems
      : faults.map(({ path, message }) => ({ file, line: lines.lineOf(path), message }));
  return record === undefined ? { problems } : { record, problems };
}
