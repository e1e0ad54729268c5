/** A YAML file that knows on which line each of its values stands. */
import { isNode, isScalar, LineCounter, parseDocument, Scalar } from "yaml";
import type { BuildProblem } from "../problem.ts";

export interface YamlDocument {
  readonly value: unknown;
  readonly problems: readonly BuildProblem[];
  /** The line, from 1, of the value at a path; of its nearest existing ancestor if the path leads nowhere. */
  lineOf(path: readonly PropertyKey[]): number;
  /** The line of the `line`th line, from 1, of the text at a path. Texts that YAML folds count as one line. */
  lineInText(path: readonly PropertyKey[], line: number): number;
}

/** A contract of a hundred fields has some ten thousand; the parser takes a hundred times as much memory. */
const MAX_CHARACTERS = 1_000_000;

export function parseYaml(file: string, text: string): YamlDocument {
  if (text.length > MAX_CHARACTERS) {
    const message = `the file has ${text.length} characters: expected at most ${MAX_CHARACTERS}`;
    return { value: undefined, problems: [{ file, line: 1, message }], lineOf: () => 1, lineInText: () => 1 };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, logLevel: "error" });
  const problems = document.errors.map((error) => ({
    file,
    line: lines.linePos(error.pos[0]).line,
    message: error.message.split("\n")[0] ?? error.message,
  }));
  const lineOf = (path: readonly PropertyKey[]): number => {
    for (let length = path.length; length > 0; length--) {
      const node = document.getIn(path.slice(0, length), true);
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
    }
    return 1;
  };
  let value: unknown;
  try {
    if (problems.length === 0) value = document.toJS();
  } catch (error) {
    // yaml refuses aliases that multiply beyond measure when the values are made.
    if (!(error instanceof ReferenceError)) throw error;
    problems.push({ file, line: 1, message: `${error.message}: write the values out` });
  }
  return {
    value,
    problems,
    lineOf,
    lineInText(path, line) {
      const node = document.getIn(path, true);
      // A literal block begins on the line after its `|`.
      return lineOf(path) + (isScalar(node) && node.type === Scalar.BLOCK_LITERAL ? line : 0);
    },
  };
}
