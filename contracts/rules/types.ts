/** The types that an expression of a record rule may have: CEL's, as far as contracts have fields of them. */
import type { FieldRule } from "../contract.ts";
import type { Scalar } from "./program.ts";

export type RuleType =
  | Scalar
  /** The items of `[]`. */
  | "nothing"
  | { readonly list: RuleType }
  | { readonly key: RuleType; readonly value: RuleType }
  | { readonly fields: readonly FieldRule[] };

export function isScalar(type: RuleType): type is Scalar {
  return typeof type === "string" && type !== "nothing";
}

/** As messages name it: `list<int>`. */
export function typeName(type: RuleType): string {
  if (typeof type === "string") return type;
  if ("list" in type) return type.list === "nothing" ? "list" : `list<${typeName(type.list)}>`;
  if ("fields" in type) return "object";
  return type.key === "nothing" ? "map" : `map<${typeName(type.key)}, ${typeName(type.value)}>`;
}

/** The type of which both are, undefined if there is none: an empty list is a list of any items. */
export function commonType(a: RuleType, b: RuleType): RuleType | undefined {
  if (a === b || b === "nothing") return a;
  if (a === "nothing") return b;
  if (typeof a === "string" || typeof b === "string") return undefined;
  if ("list" in a && "list" in b) {
    const list = commonType(a.list, b.list);
    return list === undefined ? undefined : { list };
  }
  if ("key" in a && "key" in b) {
    const key = commonType(a.key, b.key);
    const value = commonType(a.value, b.value);
    return key === undefined || value === undefined ? undefined : { key, value };
  }
  return "fields" in a && "fields" in b && a.fields === b.fields ? a : undefined;
}

export function itemType(type: RuleType): RuleType | undefined {
  return typeof type !== "string" && "list" in type ? type.list : undefined;
}

/** Whether `==` says something of the values, and not of where they stand. */
export function isComparable(type: RuleType): boolean {
  const item = itemType(type);
  return type === "nothing" || isScalar(type) || (item !== undefined && isComparable(item));
}
