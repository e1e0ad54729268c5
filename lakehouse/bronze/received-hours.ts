/** How many rows of a file were received in which hour: what the ledger counts by. */
import { hourText } from "../../schemas/hours.ts";
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
