/** How many rows were received in which hour: what the ledger counts by. */
import { formatDate } from "../../schemas/time.ts";
import type { ReceivedHour } from "../../sql/statements/bronze.ts";
import type { Batch } from "../columns/column.ts";
import type { FileDate } from "./files.ts";

const HOUR_MICROS = 3_600_000_000n;

/** `received` in microseconds since the epoch; hours in ascending order. */
export function countByHour(received: Iterable<bigint>): { hour: string; events: number }[] {
  const hours = new Map<bigint, number>();
  for (const micros of received) {
    const hour = micros / HOUR_MICROS;
    hours.set(hour, (hours.get(hour) ?? 0) + 1);
  }
  return [...hours]
    .sort(([a], [b]) => Number(a - b))
    .map(([hour, events]) => ({
      hour: `${new Date(Number(hour) * 3_600_000).toISOString().slice(0, 13)}:00:00Z`,
      events,
    }));
}

/** The rows of a file by date and hour, in the order of the dates. Throws a TypeError for rows without `_received`. */
export function receivedHours(file: { readonly dates: readonly FileDate[]; readonly rows: Batch }): ReceivedHour[] {
  const column = file.rows.columns[file.rows.fields.findIndex((field) => field.name === "_received")];
  if (column?.kind !== "int64") throw new TypeError("bronze has no _received column");
  const received = column.values;
  return file.dates.flatMap(({ day, firstRow, rows }) =>
    countByHour(received.subarray(firstRow, firstRow + rows)).map(({ hour, events }) => ({
      date: formatDate(day),
      hour,
      rows: events,
    })),
  );
}
