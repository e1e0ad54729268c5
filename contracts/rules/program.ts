/**
 * A record rule as the build leaves it: the tree of a checked expression, its types resolved, as plain data. The gateway
 * makes closures of it (`evaluate.ts`) and knows nothing of CEL's text.
 */

export type Scalar = "bool" | "int" | "double" | "string" | "timestamp" | "duration";

/** How a field's JSON becomes a value of a rule. A `date` is the instant at which its day begins in UTC. */
export type Reading = Exclude<Scalar, "duration"> | "date" | "record" | { readonly items: Reading };

export type RuleNode =
  /** A text, a truth value, a double, or an integer that a double holds exactly; times and durations in microseconds. */
  | { readonly op: "literal"; readonly value: string | number | boolean }
  /** An integer that no double holds. */
  | { readonly op: "integer"; readonly digits: string }
  /** The event (0), or the item of the `at`th enclosing pass over a list. */
  | { readonly op: "variable"; readonly at: number }
  /** `text` is as the rule says it. */
  | {
      readonly op: "field";
      readonly of: RuleNode;
      readonly name: string;
      readonly reading: Reading;
      readonly text: string;
    }
  | { readonly op: "has"; readonly of: RuleNode; readonly name: string }
  | { readonly op: "and" | "or"; readonly sides: readonly [RuleNode, RuleNode] }
  | { readonly op: "not"; readonly of: RuleNode }
  | { readonly op: "if"; readonly condition: RuleNode; readonly yes: RuleNode; readonly no: RuleNode }
  | { readonly op: "equal"; readonly sides: readonly [RuleNode, RuleNode]; readonly negated: boolean }
  /** Whether an item is in a list, or a key in a map. */
  | { readonly op: "in"; readonly item: RuleNode; readonly of: RuleNode }
  | { readonly op: "list"; readonly items: readonly RuleNode[] }
  | { readonly op: "map"; readonly entries: readonly (readonly [RuleNode, RuleNode])[] }
  /** The item of a list, or the value of a map's key. */
  | { readonly op: "index"; readonly of: RuleNode; readonly index: RuleNode; readonly text: string }
  /** How many items a list or entries a map has. */
  | { readonly op: "length"; readonly of: RuleNode }
  | { readonly op: "concat"; readonly sides: readonly [RuleNode, RuleNode] }
  | { readonly op: "sum"; readonly of: RuleNode; readonly type: "int" | "double" }
  | { readonly op: "matches"; readonly of: RuleNode; readonly pattern: string }
  /** A pass over a list: `body` is asked of each item, which stands at `at`. `transform` is what `map` makes of an item. */
  | {
      readonly op: "all" | "exists" | "existsOne" | "filter" | "transform";
      readonly of: RuleNode;
      readonly at: number;
      readonly body: RuleNode;
      readonly text: string;
    }
  /** A function of `overloads.ts`, by its signature. `texts` are its arguments as the rule says them. */
  | {
      readonly op: "call";
      readonly overload: string;
      readonly args: readonly RuleNode[];
      readonly text: string;
      readonly texts: readonly string[];
    };

export interface RuleProgram {
  readonly body: RuleNode;
  /** The fields of the event that the rule reads, from the event inwards, each once; of a list, what is read of its items stands as the list. */
  readonly reads: readonly (readonly string[])[];
}
