/**
 * The hours before the day, as the ledger has them: its comparison reads two days, so that a lake which is an hour old would have more to
 * read each hour for that alone. Each of these hours is as the last one before the day, and balanced. Their events are of dates before
 * the one that the bench builds: a build says where all events of its date went, and knows none of these.
 */
import { BUSY_TOPIC } from "./project.ts";
import type { VirtualPlatform } from "./virtual-platform.ts";

const HOUR_MS = 3_600_000;
/** As `scheduled/ledger.ts` looks back. */
const HOURS = 48;

/** The hour before the last one has some of its events, so that history ends before it. To be called when the hour before the day has passed, which is at `start`. */
export async function writeLedgerHistory(platform: VirtualPlatform, start: number): Promise<void> {
  const hourText = (hoursBefore: number) => new Date(start - hoursBefore * HOUR_MS).toISOString().replace(".000", "");
  const hours = JSON.stringify(Array.from({ length: HOURS - 2 }, (_, n) => hourText(n + 3)));
  const date = `'${hourText(48).slice(0, 10)}'`;
  const copied = (table: string, columns: string) =>
    `INSERT INTO ${table} SELECT ${columns} FROM ${table} l, json_each('${hours}') h WHERE l.topic = '${BUSY_TOPIC}' AND l.hour = '${hourText(1)}'`;
  // These hours were built long ago: nothing is to be built for them.
  await platform.withoutTriggers(
    ["bronze_file_hours", "ledger", "ledger_outcomes"],
    [
      copied("bronze_file_hours", `l.topic, ${date}, h.value, l.file, l.rows, l.registered_at`),
      copied("ledger", "l.topic, l.shard, l.shard_of, 'history', h.value, l.detail, l.events, l.published_at"),
      copied(
        "ledger_arrivals",
        `l.topic, l.shard, l.shard_of, 'history', h.value, l.messages, l.unnumbered,
         json_object('before ' || h.value, json_array(l.messages, 1, l.messages))`,
      ),
      `INSERT INTO ledger_outcomes (topic, partition_date, hour, term, events, replayed)
       SELECT topic, partition_date, hour, 'silver', rows, 0 FROM bronze_file_hours WHERE partition_date = ${date}`,
    ],
  );
}
