/** A pattern's text as its parser reads it, character by character; what it rewrites on the way is kept for the translation. */
import { PatternProblem } from "./syntax.ts";

export class PatternReader {
  readonly text: string;
  at = 0;
  #source = "";
  #copied = 0;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** The next character (a code point), or "" at the end. */
  peek(): string {
    const point = this.text.codePointAt(this.at);
    return point === undefined ? "" : String.fromCodePoint(point);
  }

  next(): string {
    const char = this.peek();
    this.at += char.length;
    return char;
  }

  take(text: string): boolean {
    if (!this.text.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }

  /** What a sticky expression matches here; null, and nothing is read, if it does not. */
  match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.at;
    const match = expression.exec(this.text);
    if (match !== null) this.at += match[0].length;
    return match;
  }

  /** The text from `start` to here is `replacement` in the translation. */
  rewrite(start: number, replacement: string): void {
    this.#source += this.text.slice(this.#copied, start) + replacement;
    this.#copied = this.at;
  }

  get source(): string {
    return this.#source + this.text.slice(this.#copied);
  }

  fail(problem: string): never {
    throw new PatternProblem(problem);
  }
}
