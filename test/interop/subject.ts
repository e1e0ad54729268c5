/** Something that programs of other people are tried on. A file of this folder each; `main.ts` runs them. */
import type { Python } from "./python.ts";

export interface Outcome {
  /** The other program. */
  readonly who: string;
  /** What it was given. */
  readonly what: string;
  readonly result: "ok" | "FAILED" | "skipped";
  /** What went wrong, what to install, or what this program cannot do. */
  readonly detail: string;
}

export interface Subject {
  readonly name: string;
  /** `folder` is empty, and removed afterwards. */
  run(python: Python, folder: string): AsyncIterable<Outcome>;
}
