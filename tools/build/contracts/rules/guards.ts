/**
 * Which optional fields an expression is sure to find where it reads them. `has(event.a) && event.a > 1` never fails, in
 * whichever order its sides stand: CEL's `&&` and `||` take a side that fails for undecided, and a decisive other one decides.
 */
import type { ASTNode } from "@marcbachmann/cel-js";

/** The places of fields: the number of the variable, then the names. */
export type Place = string;

/** By name, innermost last. */
export type Names = readonly string[];

/** What holds of the fields of an expression that gave true, and of one that gave false. */
interface Facts {
  readonly whenTrue: ReadonlySet<Place>;
  readonly whenFalse: ReadonlySet<Place>;
}

const NOTHING: ReadonlySet<Place> = new Set();

/** The place that a path leads to; undefined for an expression that is no path of names. */
export function placeOf(node: ASTNode, names: Names): Place | undefined {
  if (node.op === "id") {
    const at = names.lastIndexOf(node.args);
    return at < 0 ? undefined : String(at);
  }
  if (node.op !== ".") return undefined;
  const holder = placeOf(node.args[0], names);
  return holder === undefined ? undefined : `${holder}.${node.args[1]}`;
}

export function factsOf(node: ASTNode, names: Names): Facts {
  switch (node.op) {
    case "call": {
      const [name, [only]] = node.args;
      const place = name === "has" && only !== undefined ? placeOf(only, names) : undefined;
      return { whenTrue: place === undefined ? NOTHING : new Set([place]), whenFalse: NOTHING };
    }
    case "!_": {
      const { whenTrue, whenFalse } = factsOf(node.args, names);
      return { whenTrue: whenFalse, whenFalse: whenTrue };
    }
    case "&&": {
      const [a, b] = node.args.map((side) => factsOf(side, names));
      if (a === undefined || b === undefined) break;
      return { whenTrue: a.whenTrue.union(b.whenTrue), whenFalse: a.whenFalse.intersection(b.whenFalse) };
    }
    case "||": {
      const [a, b] = node.args.map((side) => factsOf(side, names));
      if (a === undefined || b === undefined) break;
      return { whenTrue: a.whenTrue.intersection(b.whenTrue), whenFalse: a.whenFalse.union(b.whenFalse) };
    }
  }
  return { whenTrue: NOTHING, whenFalse: NOTHING };
}
