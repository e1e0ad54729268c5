/** Passes over lists: what `all`, `exists`, `exists_one`, `filter` and `map` do with each item. */
import { RuleFailure } from "./failure.ts";
import { type Evaluate, type Scope, spend } from "./scope.ts";

export interface Pass {
  readonly op: "all" | "exists" | "existsOne" | "filter" | "transform";
  readonly list: Evaluate;
  /** Where the item stands in the scope. */
  readonly at: number;
  readonly body: Evaluate;
}

export function compilePass({ op, list, at, body }: Pass): Evaluate {
  const itemsOf = (scope: Scope): readonly unknown[] => spentItems(scope, list);
  const ask = (scope: Scope, item: unknown): unknown => {
    scope.values[at] = item;
    return body(scope);
  };
  switch (op) {
    case "all":
      return (scope) => !isAnswered(itemsOf(scope), false, (item) => ask(scope, item));
    case "exists":
      return (scope) => isAnswered(itemsOf(scope), true, (item) => ask(scope, item));
    case "existsOne":
      return (scope) => itemsOf(scope).filter((item) => boolOf(ask(scope, item))).length === 1;
    case "filter":
      return (scope) => itemsOf(scope).filter((item) => boolOf(ask(scope, item)));
    case "transform":
      return (scope) => itemsOf(scope).map((item) => ask(scope, item));
  }
}

/**
 * Whether any item is answered so. An item that fails does not matter if another one decides, as in `||` and `&&` (cel-spec,
 * "Macros").
 */
function isAnswered(items: readonly unknown[], answer: boolean, ask: (item: unknown) => unknown): boolean {
  let failure: RuleFailure | undefined;
  for (const item of items) {
    try {
      if (boolOf(ask(item)) === answer) return true;
    } catch (error) {
      if (!(error instanceof RuleFailure)) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return false;
}

/** The items of a list, a step for each. */
export function spentItems(scope: Scope, list: Evaluate): readonly unknown[] {
  const items = arrayOf(list(scope));
  spend(scope, items.length);
  return items;
}

export function arrayOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new RuleFailure("a value is no list");
}

export function boolOf(value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new RuleFailure("a value is no bool");
}
