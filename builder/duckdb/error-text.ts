/** DuckDB's errors in words that quote no value of a row: its own often do. */

/** Errors that a value of the rows makes: the same inputs make them again. */
const VALUE_ERRORS: ReadonlySet<string> = new Set([
  "Conversion Error",
  "Out of Range Error",
  "Invalid Input Error",
  "Mismatch Type Error",
  "Divide by Zero Error",
  "Constraint Error",
]);
/** Errors that the SQL makes, whatever the rows: their text quotes SQL alone. */
const SQL_ERRORS: ReadonlySet<string> = new Set([
  "Binder Error",
  "Parser Error",
  "Syntax Error",
  "Catalog Error",
  "Not implemented Error",
  "Permission Error",
]);

export type DuckDbFault =
  | { readonly kind: "value" | "sql"; readonly text: string }
  | { readonly kind: "memory" | "disk" }
  /** `text` may name files, no values. */
  | { readonly kind: "file" | "other"; readonly text: string };

export function isValueError(error: unknown): boolean {
  return error instanceof Error && VALUE_ERRORS.has(typeOf(error.message));
}

/** Sorts an error by its cause, and words it without values of rows. Gives undefined for an error that is not DuckDB's. `folder`: the builder's `--dir`. */
export function duckDbFault({ message }: Error, folder: string): DuckDbFault | undefined {
  if (/No space left on device|max_temp_directory_size/.test(message)) return { kind: "disk" };
  const type = typeOf(message);
  if (type === "") return undefined;
  if (type === "Out of Memory Error") return { kind: "memory" };
  // A damaged file is told as Invalid Input, too.
  if (message.includes(folder)) return { kind: "file", text: firstLine(message).replaceAll(`${folder}/`, "") };
  if (VALUE_ERRORS.has(type)) return { kind: "value", text: valueText(message) };
  if (SQL_ERRORS.has(type)) return { kind: "sql", text: firstLine(message) };
  return { kind: "other", text: type };
}

function typeOf(message: string): string {
  return /^([A-Za-z][A-Za-z ]* Error): /.exec(message)?.[1] ?? "";
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? "").slice(0, 500);
}

/** Forms of value errors, and what is said in their place. The groups are types and names of operations. */
const FORMS: readonly (readonly [RegExp, (first: string, second: string) => string])[] = [
  [/^Conversion Error: Could not convert string '.*' to (\w+)/s, (type) => `a text cannot be cast to ${type}`],
  [
    /^Conversion Error: Type (\w+) with value .* destination type (\w+)/s,
    (from, to) => `a value of ${from} is out of ${to}'s range`,
  ],
  [
    /^Conversion Error: (?:Could not cast value .*|Casting value .*) to (?:type )?(DECIMAL\(\d+,\d+\))/s,
    (type) => `a value is out of ${type}'s range`,
  ],
  [
    /^Conversion Error: .*\b(date|timestamp|time|interval) field/s,
    (type) => `a text cannot be cast to ${type.toUpperCase()}`,
  ],
  [
    /^Out of Range Error: Overflow in (\w+) of (?:type )?(\w+)/s,
    (operation, type) => `an ${operation} of ${type} overflows`,
  ],
  [
    /^Invalid Input Error: More than one row returned by a subquery/s,
    () => "a subquery used as a value gives several rows",
  ],
  [/^Invalid Input Error: Could not parse string/s, () => "a text is not of the format that strptime is given"],
];

function valueText(message: string): string {
  for (const [form, say] of FORMS) {
    const [found, first = "", second = ""] = form.exec(message) ?? [];
    if (found !== undefined) return say(first, second);
  }
  return `a value cannot be computed (${typeOf(message)})`;
}
