/** Which partitions a native builder builds: those of models that the edge cannot run or is not to, and those that were sent to it. */
import { buildersHeard } from "../../../sql/statements/builders.ts";
import { type NativeDomains, rowsRead } from "../../../sql/statements/native-waiting.ts";
import { isNativeOnly } from "../../engine/ir/ir.ts";
import { datesRead, isPartitionOf } from "../../engine/ir/relation.ts";
import { grainOf, type Table } from "../../tables/catalog.ts";
import { notInSql } from "./check-sql.ts";

/** Whether all partitions of a table are built natively, but for those that are left from when it was of another grain. */
export function isNativeTable(table: Table | undefined): boolean {
  return table?.kind === "model" && isNativeOnly(table.model);
}

/** Partitions of another grain are empty: no builder is needed for that. */
export function isNativePartition(table: Table | undefined, date: string): boolean {
  return isNativeTable(table) && isPartitionOf(grainOf(table), date);
}

/** Whether partitions of a table may be sent to native builders: by its front matter, and since they can measure its checks. */
export function maySend(table: Table | undefined): boolean {
  if (table?.kind !== "model" || table.model.engine !== "auto" || isNativeOnly(table.model)) return false;
  return table.checks.every((check) => notInSql(check) === undefined);
}

export function nativeDomains(tables: readonly Table[]): NativeDomains {
  const domainsOf = (is: (table: Table) => boolean) => tables.filter(is).map(({ domain }) => domain);
  return { all: domainsOf(isNativeTable), sent: domainsOf(maySend) };
}

/** One that is idle asks twice a minute, and its row says to a minute when. */
const HEARD_MS = 300_000;

/** What is known of builders without asking: `onCall`, one is woken where something waits. */
export interface Builders {
  readonly db: D1Database;
  readonly onCall: boolean;
}

/** Whether a builder is there, or comes, that could take what the edge leaves. */
export async function hasBuilder({ db, onCall }: Builders): Promise<boolean> {
  if (onCall) return true;
  const { silentMs } = await buildersHeard(db);
  return silentMs !== null && silentMs < HEARD_MS;
}

/**
 * Why a partition is to be sent to native builders before the edge begins with it; undefined: it is not. `nativeRows`: more rows of its
 * inputs than these are theirs; 0: none are.
 */
export async function reasonToSend(
  builders: Builders,
  table: Table,
  date: string,
  nativeRows: number,
): Promise<string | undefined> {
  if (nativeRows === 0 || table.kind !== "model" || !maySend(table) || !isPartitionOf(table.model.grain, date))
    return undefined;
  const dates = table.model.inputs.flatMap(({ table: name, relation }) => {
    const read = datesRead(relation, date);
    // The newest partition of a table that is looked up in: a lookup is small.
    if (read === "latest") return [];
    return [{ table: name, ...(read === "all" ? { from: "0000-01-01", to: "9999-12-31" } : read) }];
  });
  const rows = await rowsRead(builders.db, dates);
  if (rows <= nativeRows || !(await hasBuilder(builders))) return undefined;
  return `its inputs have ${rows} rows, more than NATIVE_ROWS, ${nativeRows}`;
}
