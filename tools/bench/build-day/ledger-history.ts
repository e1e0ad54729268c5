/**
 * The hours before the day, as the ledger has them: its comparison reads two days, so that a lake which is an hour old would have more to
 * read each hour for that alone. Each of these hours is as the last one before the day, and balanced.
 */
import type { VirtualPlatform } from "./virtual-platform.ts";

const HOUR_MS = 3_600_000;
/** As `scheduled/ledger.ts` looks back. */
const HOURS = 48;

/** The hour before the last one has some of its events, so that history ends before it. To be called when the hour before the day has passed, which is at `start`. */
export async function writeLedgerHistory(platform: VirtualPlatform, start: number): Promise<void> {
  const hourText = (hoursBefore: number) => new Date(start - hoursBefore * HOUR_MS).toISOString().replace(".000", "");
  const known = hourText(1);
  const earlier = (hour: string) => `strftime('%Y-%m-%dT%H:00:00Z', ${hour}, '-' || n.value || ' hours')`;
  const hours = JSON.stringify(Array.from({ length: HOURS - 2 }, (_, n) => n + 2));
  const copied = `FROM bronze_file_hours b, json_each('${hours}') n WHERE b.hour = '${known}'`;
  const sums = `SELECT topic, partition_date, hour, sum(rows) AS events, max(registered_at) AS at FROM bronze_file_hours
    WHERE hour < '${hourText(2)}' GROUP BY topic, partition_date, hour`;
  // These hours were built long ago: nothing is to be built for them.
  await platform.withoutTriggers(
    ["bronze_file_hours", "ledger", "ledger_outcomes"],
    [
      `INSERT INTO bronze_file_hours SELECT b.topic, substr(${earlier("b.hour")}, 1, 10), ${earlier("b.hour")}, b.file, b.rows, b.registered_at ${copied}`,
      `INSERT INTO ledger (topic, shard, shard_of, incarnation, hour, detail, events, published_at)
     SELECT topic, 0, 1, 'history', hour, '', sum(events), max(at) FROM (${sums}) GROUP BY topic, hour`,
      `INSERT INTO ledger_outcomes (topic, partition_date, hour, term, events, replayed)
     SELECT topic, partition_date, hour, 'silver', events, 0 FROM (${sums})`,
    ],
  );
}
