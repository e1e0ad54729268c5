/** `npm run interop`: what Sluice writes, and what it takes, in other people's programs. Not part of `npm test`: it needs Python and large packages. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseCommandLine, runCommand } from "../../tools/command-line.ts";
import { CommandProblem } from "../../tools/command-problem.ts";
import { printTable } from "../../tools/lake/print-table.ts";
import { subject as clients } from "./clients.ts";
import { subject as contracts } from "./contracts.ts";
import { subject as hive } from "./hive.ts";
import { subject as parquet } from "./parquet.ts";
import { openPython, type Python } from "./python.ts";
import type { Outcome, Subject } from "./subject.ts";

const SUBJECTS: readonly Subject[] = [parquet, hive, contracts, clients];

const HELP = `npm run interop -- [SUBJECT]... [--python PROGRAM]

Gives what Sluice writes to other people's programs and compares what they read. Subjects: ${SUBJECTS.map(({ name }) => name).join(", ")} (all).
test/interop/requirements.txt says what to install; what is not there is skipped. Exit code 1 if anything fails.

  --python PROGRAM   the interpreter (INTEROP_PYTHON, else python3)`;

await runCommand(async (argv) => {
  const { values, positionals } = parseCommandLine(argv, {
    allowPositionals: true,
    options: { python: { type: "string" }, help: { type: "boolean", default: false } },
  });
  if (values.help) return console.log(HELP);
  const wanted: readonly string[] = positionals;
  const unknown = wanted.find((name) => !SUBJECTS.some((subject) => subject.name === name));
  if (unknown !== undefined) throw new CommandProblem("USAGE", `There is no subject "${unknown}".\n${HELP}`);
  const program = values.python ?? process.env["INTEROP_PYTHON"] ?? "python3";
  const python = await pythonOr(program);
  if (python === undefined) return;
  const outcomes: Outcome[] = [];
  for (const subject of SUBJECTS) {
    if (wanted.length > 0 && !wanted.includes(subject.name)) continue;
    const folder = mkdtempSync(join(tmpdir(), "sluice-interop-"));
    try {
      for await (const outcome of subject.run(python, folder)) {
        outcomes.push(outcome);
        console.log(`${subject.name}: ${outcome.who}, ${outcome.what}: ${outcome.result} ${outcome.detail}`.trimEnd());
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const columns = ["who", "what", "result", "detail"].map((name) => ({ name, numeric: false }));
  const rows = outcomes.map(({ who, what, result, detail }) => [who, what, result, detail.slice(0, 100)]);
  console.log(`\n${printTable(columns, rows).join("\n")}`);
  if (outcomes.some(({ result }) => result === "FAILED")) process.exitCode = 1;
});

/** Undefined, with a word about it, where there is no interpreter. */
async function pythonOr(program: string): Promise<Python | undefined> {
  try {
    return await openPython(program);
  } catch (error) {
    console.log(`skipped: ${error instanceof Error ? error.message : String(error)}. ${HELP}`);
    return undefined;
  }
}
