/** How many rows of a file were received in which hour: what the ledger counts by. */
import { formatDate } from "../../schemas/time.ts";
import type { ReceivedHour } from "../../sql/statements/bronze.ts";
import type { DayTotals } from "./scan.ts";

/** By partition date in the order given (days since the epoch), then by hour, ascending. */
export function receivedHours(
  days: Iterable<readonly [day: number, totals: Pick<DayTotals, "hours">]>,
): ReceivedHour[] {
  return [...days].flatMap(([day, { hours }]) =>
    [...hours].sort(([a], [b]) => a - b).map(([hour, rows]) => ({ date: formatDate(day), hour: hourText(hour), rows })),
  );
}

function hourText(hour: number): string {
  return `${new Date(hour * 3_600_000).toISOString().slice(0, 13)}:00:00Z`;
}
