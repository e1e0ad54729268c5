/** A place in a model file; line and column count from 1, columns in UTF-16 units, as editors do. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One fault of a model file: what is wrong, and what to do about it. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly problem: string;
  readonly fix: string;

  constructor(file: string, position: Position, problem: string, fix: string) {
    super(`${file}:${position.line}:${position.column}: ${problem}; ${fix}`);
    this.file = file;
    this.line = position.line;
    this.column = position.column;
    this.problem = problem;
    this.fix = fix;
  }
}

/** All faults of all model files, in the order of the files and of the places in them. */
export class ModelErrors extends Error {
  override readonly name = "ModelErrors";
  readonly errors: readonly ModelError[];

  constructor(errors: readonly ModelError[]) {
    super(errors.map((error) => error.message).join("\n"));
    this.errors = errors;
  }
}

/** Where the UTF-16 offset `offset` of `text` is. */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, Math.max(0, offset));
  const lastBreak = before.lastIndexOf("\n");
  return { line: before.split("\n").length, column: before.length - lastBreak };
}

/** DuckDB counts bytes of UTF-8; JavaScript UTF-16 units. */
export function offsetOfByte(text: string, byte: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, byte)).length;
}

/** Collects the problems of one file, each once. */
export class Problems {
  readonly #file: string;
  readonly #text: string;
  readonly #found = new Map<string, { readonly offset: number; readonly error: ModelError }>();

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  /** `offset` in UTF-16 units of the whole file. */
  report(offset: number, problem: string, fix: string): void {
    const error = new ModelError(this.#file, positionAt(this.#text, offset), problem, fix);
    this.#found.set(error.message, { offset, error });
  }

  /** A collection of the same file's, whose problems `take` may add. */
  apart(): Problems {
    return new Problems(this.#file, this.#text);
  }

  take(other: Problems): void {
    for (const [message, found] of other.#found) this.#found.set(message, found);
  }

  /** The place as `file:line:column`; `offset` as in `report`. */
  placeOf(offset: number): string {
    const { line, column } = positionAt(this.#text, offset);
    return `${this.#file}:${line}:${column}`;
  }

  get errors(): readonly ModelError[] {
    return [...this.#found.values()].sort((a, b) => a.offset - b.offset).map(({ error }) => error);
  }

  get none(): boolean {
    return this.#found.size === 0;
  }
}
