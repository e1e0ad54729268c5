/** A result as a table for people: aligned columns, numbers to the right, long values cut. */

export interface TableColumn {
  readonly name: string;
  readonly numeric: boolean;
}

const MAX_WIDTH = 60;
const GAP = "  ";

/** `rows` hold texts; null is shown as `NULL`. Lines, without an end of line. */
export function printTable(columns: readonly TableColumn[], rows: readonly (readonly (string | null)[])[]): string[] {
  const header = columns.map((column) => cell(column.name));
  const body = rows.map((row) => columns.map((_, i) => cell(row[i] ?? null)));
  const widths = header.map((name, i) => body.reduce((width, row) => Math.max(width, length(row[i])), length(name)));
  const line = (cells: readonly string[]) =>
    cells
      .map((text, i) => {
        const padding = " ".repeat(Math.max(0, (widths[i] ?? 0) - length(text)));
        return columns[i]?.numeric === true ? padding + text : text + padding;
      })
      .join(GAP)
      .trimEnd();
  return [line(header), widths.map((width) => "─".repeat(width)).join(GAP), ...body.map(line)];
}

/** One line, no control characters: a value must not be able to move the cursor. */
function cell(value: string | null): string {
  if (value === null) return "NULL";
  const text = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("\\\\", "\\");
  const visible = text.replaceAll(/[\u007f-\u009f]/g, "?");
  const letters = [...visible];
  return letters.length <= MAX_WIDTH ? visible : `${letters.slice(0, MAX_WIDTH - 1).join("")}…`;
}

/** In code points: right for all but wide and combining letters, which shift their own line only. */
function length(text: string | undefined): number {
  return text === undefined ? 0 : [...text].length;
}
