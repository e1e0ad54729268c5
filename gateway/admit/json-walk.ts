/** Iterative walks over parsed JSON of any depth: the call stack is no measure of what a producer may send. */
import { isRawNumber } from "../../schemas/exact-json.ts";

/** Unknown values may nest this deep; readers of `_extra` should not need more, and most JSON parsers stop near it. */
export const MAX_UNKNOWN_DEPTH = 100;

/** Whether a value nests more than `limit` arrays or objects inside each other. */
export function isDeeperThan(value: unknown, limit: number): boolean {
  let level = containersIn([value]);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > limit) return true;
    const next: object[] = [];
    for (const container of level) for (const child of containersIn(Object.values(container))) next.push(child);
    level = next;
  }
  return false;
}

function containersIn(values: readonly unknown[]): object[] {
  return values.filter((value) => typeof value === "object" && value !== null && !isRawNumber(value)).map(Object);
}

export interface LoneSurrogate {
  /** From the root to the string or, with `inKey`, to the value whose key it is. */
  readonly path: readonly (string | number)[];
  readonly inKey: boolean;
}

// A parent chain instead of copied paths: thousands of levels would make copying quadratic.
interface Node {
  readonly value: unknown;
  readonly part: string | number;
  readonly parent: Node | null;
}

/** Strings and keys with a lone surrogate, which no UTF-8 can carry, in document order per level; at most `limit`. */
export function loneSurrogates(root: unknown, limit: number): LoneSurrogate[] {
  const found: LoneSurrogate[] = [];
  const stack: Node[] = [{ value: root, part: "", parent: null }];
  for (let node = stack.pop(); node !== undefined && found.length < limit; node = stack.pop()) {
    const { value } = node;
    if (typeof node.part === "string" && !node.part.isWellFormed()) found.push({ path: pathOf(node), inKey: true });
    if (typeof value === "string") {
      if (!value.isWellFormed()) found.push({ path: pathOf(node), inKey: false });
    } else if (typeof value === "object" && value !== null && !isRawNumber(value)) {
      const array = Array.isArray(value);
      for (const key of Object.keys(value).reverse()) {
        const child: unknown = Reflect.get(value, key);
        stack.push({ value: child, part: array ? Number(key) : key, parent: node });
      }
    }
  }
  return found;
}

function pathOf(node: Node): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Node | null = node; at !== null && at.parent !== null; at = at.parent) path.push(at.part);
  return path.reverse();
}
