/** `sluice tables rollback` and `release`. */
import * as z from "zod";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

const rolledBack = z.object({
  table_name: z.string(),
  partitions: z.array(z.object({ partition_date: z.string(), to: z.int().nullable(), rows: z.int() })),
  more: z.boolean(),
});

export interface RollbackFlags {
  readonly version: number;
  readonly partition: string | undefined;
  readonly reason: string;
}

/** As many calls as there are partitions. */
export async function rollBackTable(
  platform: PlatformAddress,
  table: string,
  flags: RollbackFlags,
  json: boolean,
): Promise<void> {
  const done: z.infer<typeof rolledBack>["partitions"] = [];
  for (let more = true; more; ) {
    const path = `/v1/tables/${encodeURIComponent(table)}/rollback`;
    const answer = await callPlatform(platform, "POST", path, rolledBack, flags);
    done.push(...answer.partitions);
    more = answer.more;
  }
  if (json) return console.log(JSON.stringify(done, null, 2));
  for (const { partition_date, to, rows } of done) {
    const was = to === null ? "empty: it had no version then" : `${rows} rows, as of its version ${to}`;
    console.log(`${table} ${partition_date}: ${was}`);
  }
  console.log(
    done.length === 0
      ? `Nothing of ${table} was committed since version ${flags.version}.`
      : `No build changes ${done.length === 1 ? "it" : "them"} until: sluice tables release ${table}${flags.partition === undefined ? "" : ` --partition ${flags.partition}`}`,
  );
}

const released = z.object({
  released: z.array(z.object({ partition_date: z.string(), version: z.int(), reason: z.string() })),
});

export async function releaseTable(
  platform: PlatformAddress,
  table: string,
  partition: string | undefined,
  json: boolean,
): Promise<void> {
  const path = `/v1/tables/${encodeURIComponent(table)}/release`;
  const answer = await callPlatform(platform, "POST", path, released, partition === undefined ? {} : { partition });
  if (json) return console.log(JSON.stringify(answer.released, null, 2));
  for (const { partition_date, version, reason } of answer.released)
    console.log(
      `${table} ${partition_date}: was held at version ${version} (${reason}); it is built within a minute or two`,
    );
  if (answer.released.length === 0) console.log(`No rollback holds ${partition ?? "a partition of"} ${table}.`);
}
