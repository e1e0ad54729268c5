/** What every command of the project shares: its arguments, its help, and how it ends when something is wrong. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { CommandProblem } from "./command-problem.ts";

export interface CommandSyntax<Options extends NonNullable<ParseArgsConfig["options"]>> {
  readonly options: Options;
  readonly allowPositionals?: boolean;
}

/**
 * `parseArgs` whose complaints are CommandProblems (USAGE). `--` before the flags is tolerated: `npm run x -- -- --flag`
 * passes one.
 */
export function parseCommandLine<const Options extends NonNullable<ParseArgsConfig["options"]>>(
  argv: readonly string[],
  syntax: CommandSyntax<Options>,
) {
  const args = argv[0] === "--" ? argv.slice(1) : [...argv];
  try {
    const { allowPositionals = false, options } = syntax;
    return parseArgs({ args, options, allowPositionals, strict: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new CommandProblem("USAGE", `${error.message}\n--help lists what there is.`, { cause: error });
  }
}

/** The number that a flag gives, an integer in [minimum, maximum]. Throws CommandProblem (USAGE). */
export function integerFlag(flag: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new CommandProblem("USAGE", `--${flag} takes a whole number from ${minimum} to ${maximum}, not "${text}".`);
}

/** Runs a command: a CommandProblem is printed and sets the exit code (2 for wrong usage, else 1); other errors keep their stack. */
export async function runCommand(main: (argv: readonly string[]) => Promise<void>): Promise<void> {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof CommandProblem)) throw error;
    console.error(error.message);
    process.exitCode = error.code === "USAGE" ? 2 : 1;
    // A child of `runInOwnGroup` would live on: a library that listens for a parent's messages keeps the channel open.
    if (process.connected) process.disconnect();
  }
}
