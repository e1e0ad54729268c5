/** `sluice partitions accept|quarantine|discard TABLE DATE --reason TEXT`. */
import * as z from "zod";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";

const answer = z.looseObject({
  table: z.string(),
  partition_date: z.string(),
  decided_by: z.string(),
  checks: z.array(z.looseObject({ check_name: z.string(), measured: z.number().nullable() })),
});

export interface DecisionFlags {
  readonly table: string;
  readonly date: string;
  readonly action: "accept" | "quarantine" | "discard";
  readonly reason: string;
}

const FOLLOWS: Readonly<Record<DecisionFlags["action"], string>> = {
  accept: "It is built and published within a minute or two, in spite of",
  quarantine: "It is built and published within a minute or two, without the rows that fail",
  discard: "What was published before stays, until there is new input. Not published because of",
};

export async function decide(
  platform: PlatformAddress,
  { table, date, action, reason }: DecisionFlags,
  json: boolean,
): Promise<void> {
  const path = `/v1/partitions/${encodeURIComponent(table)}/${encodeURIComponent(date)}/decisions`;
  const made = await callPlatform(platform, "POST", path, answer, { action, reason });
  if (json) return console.log(JSON.stringify(made, null, 2));
  const checks = made.checks.map(({ check_name, measured }) => `"${check_name}" (measured ${measured ?? "nothing"})`);
  console.log(`${made.table} ${made.partition_date}: ${action}, noted for key ${made.decided_by}.`);
  console.log(`${FOLLOWS[action]}: ${checks.join(", ")}.`);
}
