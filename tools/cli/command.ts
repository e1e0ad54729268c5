/** A command of `sluice`: what `sluice --help` says of it, and what it does. */
export interface Command {
  /** One line. */
  readonly summary: string;
  /** The text of `sluice NAME --help`. */
  readonly help: string;
  /** `argv` without the command's name. Throws CommandProblem for what the user can mend. */
  run(argv: readonly string[]): Promise<void>;
}
