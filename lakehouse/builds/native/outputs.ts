/**
 * The files of a native build, as they are: what their builder says of them is believed once their footers say the same. What stands in
 * their rows is the builder's word; a wrong count, column, type or date is not.
 */
import type { AddedFile } from "../../../sql/statements/data-files.ts";
import type { ColumnType } from "../../engine/columns/column.ts";
import { typeName } from "../../engine/columns/column-kind.ts";
import { ONLY_PARTITION } from "../../engine/ir/relation.ts";
import type { FileStatistics } from "../../engine/parquet/column-statistics.ts";
import { footerLength, TRAILER_BYTES } from "../../engine/parquet/footer.ts";
import { type RangeSource, withTail } from "../../engine/parquet/range-source.ts";
import { openParquet, type ParquetFile } from "../../engine/parquet/reader.ts";
import { WasmPermitGoneError } from "../../engine/parquet/wasm.ts";
import type { ModelTable } from "../../tables/catalog.ts";
import type { LakeWork } from "../../tables/lake.ts";
import { stagedPrefix } from "../../tables/stage.ts";
import { ROW_GROUP_ROWS } from "./order.ts";
import type { CommitRequest } from "./wire.ts";

/** Files that do not hold what they should: nothing of them is published. */
export class OutputMismatchError extends Error {
  override readonly name = "OutputMismatchError";
}

/** The key of file `n` of a run. */
export function outputKey(table: ModelTable, date: string, runId: string, n: number): string {
  return `${stagedPrefix(table, date, runId)}${n}.parquet`;
}

/** A footer comes with these, and most need no second read. */
const TAIL_BYTES = 128 * 1024;
/** A file of 64 MB has some hundred kilobytes of it. It is read whole. */
const MOST_FOOTER_BYTES = 4 * 1024 * 1024;
/** Reads under way at once: a request has six connections. */
const AT_ONCE = 4;

/** The files of a commit as the catalog lists them. Throws `OutputMismatchError`, and what R2 throws. */
export async function examineOutputs(
  lake: LakeWork,
  table: ModelTable,
  { date, runId }: { readonly date: string; readonly runId: string },
  said: CommitRequest["files"],
): Promise<readonly AddedFile[]> {
  const files: AddedFile[] = [];
  for (let start = 0; start < said.length; start += AT_ONCE) {
    const some = said
      .slice(start, start + AT_ONCE)
      .map((file, i) => examine(lake, table, date, runId, start + i, file));
    files.push(...(await Promise.all(some)));
  }
  return files;
}

async function examine(
  lake: LakeWork,
  table: ModelTable,
  date: string,
  runId: string,
  n: number,
  said: CommitRequest["files"][number],
): Promise<AddedFile> {
  const key = outputKey(table, date, runId, n);
  const wrong = (what: string) => new OutputMismatchError(`file ${n} of the build ${what}`);
  const end = await tailOf(lake.bucket, key, TAIL_BYTES);
  if (end === undefined) throw wrong("was not uploaded");
  if (end.size !== said.bytes) throw wrong(`has ${end.size} bytes, and its builder said ${said.bytes}`);
  const unreadable = (error: unknown) =>
    wrong(`is no Parquet file of the table: ${error instanceof Error ? error.message : "it cannot be read"}`);
  const needed = footerBytes(end, unreadable);
  if (needed > MOST_FOOTER_BYTES) throw wrong(`has a footer of ${needed} bytes, more than ${MOST_FOOTER_BYTES}`);
  const whole = needed > end.tail.length ? await tailOf(lake.bucket, key, needed) : end;
  if (whole === undefined) throw wrong("was not uploaded");
  try {
    // All that is read of it is here: whatever is thrown now is the file's fault.
    const file = await openParquet(withTail(notRead(key, whole.size), whole.tail));
    const fault = shapeFault(lake, table, file, said.rows);
    if (fault !== undefined) throw wrong(fault);
    const stats = file.statistics(table.fields);
    const valueFault = file.rows === 0 ? undefined : boundsFault(table, date, stats);
    if (valueFault !== undefined) throw wrong(valueFault);
    const told = Object.entries(stats).filter(([column]) => !table.unbounded.includes(column));
    return { file: key, kind: "data", rows: file.rows, bytes: whole.size, stats: Object.fromEntries(told) };
  } catch (error) {
    if (error instanceof OutputMismatchError || error instanceof WasmPermitGoneError) throw error;
    throw unreadable(error);
  }
}

interface Tail {
  readonly size: number;
  readonly tail: Uint8Array;
}

/** Undefined where there is no such object. */
async function tailOf(bucket: LakeWork["bucket"], key: string, bytes: number): Promise<Tail | undefined> {
  const object = await bucket.get(key, { range: { suffix: bytes } });
  return object === null ? undefined : { size: object.size, tail: new Uint8Array(await object.arrayBuffer()) };
}

/** The bytes at a file's end that its footer takes. Throws what `unreadable` makes of a file that has none. */
function footerBytes({ size, tail }: Tail, unreadable: (error: unknown) => Error): number {
  try {
    return footerLength(tail, size) + TRAILER_BYTES;
  } catch (error) {
    throw unreadable(error);
  }
}

function notRead(name: string, size: number): RangeSource {
  return { name, size, read: () => Promise.reject(new Error("its footer is longer than it says")) };
}

/** What a file is that it should not be; undefined: nothing. */
function shapeFault({ permit }: LakeWork, table: ModelTable, file: ParquetFile, rows: number): string | undefined {
  if (file.rows !== rows) return `has ${file.rows} rows, and its builder said ${rows}`;
  const names = table.fields.map(({ name }) => name);
  if (file.columns.join("\n") !== names.join("\n"))
    return `has the columns ${file.columns.join(", ")}; the table has ${names.join(", ")}`;
  for (const [i, { name, type }] of file.schema(permit).entries()) {
    // The columns have the table's names, in its order.
    const wanted = table.fields[i]!.type;
    if (!isSameType(type, wanted)) return `has ${typeName(type)} in the column ${name}, which is ${typeName(wanted)}`;
  }
  // As DuckDB writes them: a thread's last vectors come behind a full group.
  const longest = Math.max(0, ...file.rowGroups.map((group) => group.rows));
  if (longest > 2 * ROW_GROUP_ROWS)
    return `has a row group of ${longest} rows; ${ROW_GROUP_ROWS} were asked for, and isolates read one at a time`;
  return undefined;
}

/** What the statistics of a file with rows say that they should not; undefined: nothing. */
function boundsFault(table: ModelTable, date: string, stats: FileStatistics): string | undefined {
  for (const { name, nullable } of table.fields) {
    const nulls = stats[name]?.nulls;
    if (!nullable && nulls !== undefined && nulls > 0)
      return `has ${nulls} NULLs in the column ${name}, which has none`;
  }
  if (table.partition === ONLY_PARTITION.column) return undefined;
  const own = stats[table.partition];
  if (own === undefined) return `says nothing of the dates in ${table.partition}`;
  if (own.nulls !== 0 || own.min !== date || own.max !== date)
    return `has rows of other dates: ${table.partition} is from ${own.min ?? "NULL"} to ${own.max ?? "NULL"}`;
  return undefined;
}

/** Whatever the items of a list are called: writers differ. */
function isSameType(a: ColumnType, b: ColumnType): boolean {
  if (a.kind === "list" && b.kind === "list") return isSameType(a.item.type, b.item.type);
  if (a.kind === "struct" && b.kind === "struct")
    return (
      a.fields.length === b.fields.length &&
      a.fields.every(({ name, type }, i) => name === b.fields[i]?.name && isSameType(type, b.fields[i].type))
    );
  if (a.kind === "decimal" && b.kind === "decimal") return a.precision === b.precision && a.scale === b.scale;
  return a.kind === b.kind;
}
