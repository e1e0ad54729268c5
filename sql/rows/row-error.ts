/** A value that a row of D1 should not have: somebody edited the row, or another version wrote it. */
export type RowValues = Readonly<Record<string, unknown>>;

/** Where rows come from, for the message about one that cannot be read. */
export interface RowSource {
  readonly table: string;
  /** The columns that name a row; a query that groups names its groups. */
  readonly key: readonly string[];
  /** What to do where correcting the value is no way: it continues "or ...". */
  readonly remedy: string;
}

export class RowError extends Error {
  override readonly name = "RowError";
  readonly table: string;
  readonly column: string;

  /** `expected` continues "holds X, not ...". */
  constructor({ table, key, remedy }: RowSource, values: RowValues, column: string, found: string, expected: string) {
    const where = key.map((name) => `${name} = ${sqlText(values[name])}`).join(" AND ");
    super(
      `${table} (${where}): the column ${column} holds ${found}, not ${expected}. ` +
        `Correct it (UPDATE ${table} SET ${column} = ... WHERE ${where}), or ${remedy}.`,
    );
    this.table = table;
    this.column = column;
  }
}

function sqlText(value: unknown): string {
  if (typeof value === "string") return `'${value.replaceAll("'", "''").slice(0, 200)}'`;
  return value === undefined ? "?" : String(value);
}
