/** What an object of bronze that stands says of its rows, and whether the objects of a flush hold each of its rows once. */
import type { Contract } from "../../contracts/contract.ts";
import { formatDate } from "../../schemas/time.ts";
import { type PlannedFile, planFiles, plannedFile, UNSTORED_POLICY } from "./files.ts";
import { datesOf, LAYOUT_FORMAT, layoutText } from "./layout.ts";
import { BronzeConflictError, type ObjectMetadata } from "./put-once.ts";
import type { FlushScan } from "./scan.ts";
import type { FlushName } from "./table.ts";

/** A local platform takes 2,048 bytes of metadata (R2 8,192); only layouts of `UNSTORED_POLICY` can be longer than this. */
const LAYOUT_BYTES = 1_850;

export function metadataOfFile(input: string, { dates }: PlannedFile): ObjectMetadata {
  const layout = layoutText(dates);
  return layout.length > LAYOUT_BYTES ? { input } : { input, layout, format: LAYOUT_FORMAT };
}

/**
 * The file as its object says. One that says nothing is of a deploy that stored no layouts: it is as that one laid it out. Throws
 * `BronzeConflictError` when nobody knows where the rows of the object are.
 */
export function standingFile(
  key: string,
  metadata: Readonly<Record<string, string>>,
  contract: Contract,
  flush: FlushName,
  scan: FlushScan,
): PlannedFile {
  const { layout, format } = metadata;
  if (layout === undefined) {
    const old = planFiles(contract, flush, scan.days, UNSTORED_POLICY).find((file) => file.key === key);
    if (old !== undefined) return old;
  }
  const dates = format === LAYOUT_FORMAT && layout !== undefined ? datesOf(layout) : undefined;
  if (dates === undefined)
    throw new BronzeConflictError(
      `${key} exists with a layout that this deploy cannot read (format ${format ?? "none"}): the rows stay buffered`,
    );
  return plannedFile(key, dates);
}

/** Throws `BronzeConflictError` unless the files hold all rows of each date once. `input`: what they are laid out for. */
export function requireWhole(files: readonly PlannedFile[], { days, input }: FlushScan, laidOut = input): void {
  const problem = laidOut === input ? misfit(files, days) : `they are laid out for input ${laidOut}, not ${input}`;
  if (problem !== undefined)
    throw new BronzeConflictError(
      `${files.map(({ key }) => key).join(", ")} do not hold the flush's rows: ${problem}; the rows stay buffered`,
    );
}

function misfit(files: readonly PlannedFile[], days: FlushScan["days"]): string | undefined {
  const held = new Map<number, number>();
  for (const { day, rows } of files.flatMap(({ dates }) => dates)) {
    if (held.has(day)) return `${formatDate(day)} stands in two files`;
    held.set(day, rows);
  }
  for (const [day, { rows }] of days) {
    if (held.get(day) !== rows) return `of ${rows} rows of ${formatDate(day)} they have ${held.get(day) ?? 0}`;
  }
  const [other] = [...held.keys()].filter((day) => !days.has(day));
  return other === undefined ? undefined : `${formatDate(other)} is no date of the flush`;
}
