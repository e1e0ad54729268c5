/** A pattern as a tree: what `parse.ts` reads and `automaton.ts` runs. */

/** A set of characters (code points). Sets of one key have the same members. */
export interface CharSet {
  readonly key: string;
  has(codePoint: number): boolean;
  /** The code points at which membership may change: between two neighbours of this list it does not. */
  edges(): readonly number[];
}

/** `start` and `end` of the text, or whether a word of ASCII begins or ends here (`\b`, `\B`). */
export type Assertion = "start" | "end" | "wordEdge" | "noWordEdge";

export type PatternNode =
  | { readonly kind: "set"; readonly set: CharSet }
  | { readonly kind: "assertion"; readonly assertion: Assertion }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly options: readonly PatternNode[] }
  /** `most` may be infinite. Greedy or lazy makes no difference to whether a text matches. */
  | { readonly kind: "repeat"; readonly part: PatternNode; readonly least: number; readonly most: number };

/** A text matches if `body` matches somewhere in it, and each lookahead (they stand behind a leading `^`) says so of its beginning. */
export interface ParsedPattern {
  readonly body: PatternNode;
  readonly lookaheads: readonly { readonly body: PatternNode; readonly negated: boolean }[];
  /** The same pattern for `new RegExp(source, "u")`; of RE2's dialect the text as it was. */
  readonly source: string;
}

/** Why a text is no pattern that this project runs, and what to write instead. */
export class PatternProblem extends Error {}
