/** What is wrong with a schema that is to be released, in words: the field by its name, the type that is there, the types that may be. */
import type * as z from "zod";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What is wrong with a schema, and where in its JSON document. */
export interface SchemaFault {
  readonly path: Path;
  readonly message: string;
}

const SUPPORTED =
  '"string", "boolean", "int", "long", "double", timestamp-micros, date, decimal, an array, a record, or ["null", one of these] for an optional field';

/** One line for one issue of zod, and the place it is about; `json` is the document that was checked. */
export function describeIssue(json: unknown, issue: Issue): SchemaFault {
  if (issue.code !== "invalid_union")
    return { path: issue.path, message: `${placeOf(json, issue.path)}: ${issue.message}` };
  const path = deepestUnion(json, issue, []);
  return { path, message: `${placeOf(json, path)}: ${describeType(valueAt(json, path))}` };
}

/**
 * A type is a union of shapes, and a record or array has types inside: the issue of the outermost one only says that no
 * shape fits. The alternative that came furthest in what is there is the one that was meant; its innermost union is the place.
 */
function deepestUnion(json: unknown, issue: Issue, base: Path): Path {
  const here = [...base, ...issue.path];
  if (issue.code !== "invalid_union") return [];
  return issue.errors
    .flat()
    .map((inner) => deepestUnion(json, inner, here))
    .reduce((best, path) => (path.length > best.length && valueAt(json, path) !== undefined ? path : best), here);
}

function describeType(type: unknown): string {
  if (isObject(type) && type["type"] === "enum") {
    return 'the type "enum" is not supported: write "string", and list the values in the contract (quality: metric invalidValues, arguments validValues)';
  }
  if (typeof type === "string" && /^[A-Z]|\./.test(type))
    return `the type ${JSON.stringify(type)} is not referred to by its name here: write the record out, under a name of its own`;
  const text = JSON.stringify(type) ?? "nothing";
  const shown = text.length > 80 ? `${text.slice(0, 80)}...` : text;
  return `the type ${shown} is not supported: there are ${SUPPORTED}`;
}

/** A path in words: the names of the fields on the way to it. */
export function placeOf(json: unknown, path: Path): string {
  const names = path.flatMap((_, at) => {
    const holder = valueAt(json, path.slice(0, at + 1));
    return path[at - 1] === "fields" && isObject(holder) && typeof holder["name"] === "string" ? [holder["name"]] : [];
  });
  return names.length > 0 ? `field "${names.join(".")}"` : path.map(String).join(".") || "schema";
}

function valueAt(json: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, part) => {
    if (Array.isArray(at)) return at[Number(part)];
    return isObject(at) ? at[String(part)] : undefined;
  }, json);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
