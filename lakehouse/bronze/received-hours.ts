/** How many rows of a file were received in which hour: what the ledger counts by. */
import { formatDate } from "../../schemas/time.ts";
import type { ReceivedHour } from "../../sql/statements/bronze.ts";
import type { Batch, Column } from "../columns/column.ts";

const HOUR_MICROS = 3_600_000_000;

/** Counts the rows of one file as they pass on their way to the writer. */
export interface ReceivedHours {
  /** Gives the batches on. Throws a TypeError for rows without `_received` or the partition column. */
  counting(batches: Iterable<Batch>): Generator<Batch, void, undefined>;
  /** What has passed, by partition date and hour, ascending. */
  lines(): ReceivedHour[];
}

export function createReceivedHours(partitionColumn: string): ReceivedHours {
  const days = new Map<number, Map<number, number>>();
  return {
    *counting(batches) {
      for (const batch of batches) {
        const received = columnOf(batch, "_received");
        const dates = columnOf(batch, partitionColumn);
        if (received.kind !== "int64" || dates.kind !== "int32") throw new TypeError("bronze has odd times or dates");
        for (let row = 0; row < batch.length; row++) {
          const day = dates.values[row] ?? 0;
          const hour = Math.floor(Number(received.values[row]) / HOUR_MICROS);
          const hours = days.get(day) ?? new Map<number, number>();
          days.set(day, hours.set(hour, (hours.get(hour) ?? 0) + 1));
        }
        yield batch;
      }
    },
    lines: () =>
      [...days]
        .sort(([a], [b]) => a - b)
        .flatMap(([day, hours]) =>
          [...hours]
            .sort(([a], [b]) => a - b)
            .map(([hour, rows]) => ({ date: formatDate(day), hour: hourText(hour), rows })),
        ),
  };
}

function columnOf(batch: Batch, name: string): Column {
  const column = batch.columns[batch.fields.findIndex((field) => field.name === name)];
  if (column === undefined) throw new TypeError(`bronze has no column ${name}`);
  return column;
}

function hourText(hour: number): string {
  return `${new Date(hour * 3_600_000).toISOString().slice(0, 13)}:00:00Z`;
}
