/**
 * The names of Avro (specification 1.12, "Names"): one set of rules for schemas that are released, posted to the registry or
 * written into a container file. Whatever breaks one of them cannot be read back: libraries refuse the whole schema.
 */

export const PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"] as const;
export type PrimitiveName = (typeof PRIMITIVES)[number];

export function isPrimitive(name: string): name is PrimitiveName {
  return PRIMITIVES.some((primitive) => primitive === name);
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The full name of a type that is called `name` inside `namespace`: a name with dots brings its own namespace. */
export function fullName(name: string, namespace: string): string {
  return name.includes(".") || namespace === "" ? name : `${namespace}.${name}`;
}

/** The namespace of a full name; empty for a name without one. */
export function namespaceOf(full: string): string {
  return full.slice(0, Math.max(0, full.lastIndexOf(".")));
}

export function isFullName(text: string): boolean {
  return text.split(".").every((part) => NAME.test(part));
}

/** Why a type cannot have this full name beside those that are defined already; undefined if it can. */
export function typeNameProblem(full: string, defined: ReadonlySet<string>): string | undefined {
  if (!isFullName(full)) return `${shown(full)} is not a name: ${FORM}`;
  const last = full.slice(full.lastIndexOf(".") + 1);
  if (isPrimitive(last)) return `${shown(full)} is the name of a primitive type: choose another one`;
  if (defined.has(full)) return `the type ${shown(full)} is defined twice: give one of them another name or namespace`;
  return undefined;
}

/** Why a list of fields' names or an enum's symbols is refused, and at which position; undefined if it is not. */
export function memberProblem(
  what: "field" | "symbol",
  names: readonly unknown[],
): { readonly index: number; readonly message: string } | undefined {
  const seen = new Set<unknown>();
  for (const [index, name] of names.entries()) {
    if (typeof name !== "string" || !NAME.test(name))
      return { index, message: `${shown(name)} is not the name of a ${what}: ${FORM}` };
    if (seen.has(name)) return { index, message: `the ${what} ${shown(name)} is there twice: remove or rename one` };
    seen.add(name);
  }
  return undefined;
}

const FORM = "letters, digits and _, no digit first";

function shown(name: unknown): string {
  const text = JSON.stringify(name) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
}
