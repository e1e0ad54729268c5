/** A message of the builds queue that asks for a compaction of a partition of a table. */
import * as z from "zod";
import { tableOfDomain } from "../lakehouse/tables/catalog.ts";
import { compactTable, type TableCompactionDeps } from "../lakehouse/upkeep/table-compaction/compact.ts";
import type { TableCompactionRequest } from "../lakehouse/upkeep/table-compaction/schedule.ts";
import { type WideEvent, withWasm } from "./with-wasm.ts";

export const tableCompactionRequest = z.object({
  kind: z.literal("table_compaction"),
  domain: z.string(),
  date: z.string().regex(/^\d{4}-\d\d-\d\d$/),
}) satisfies z.ZodType<TableCompactionRequest>;

export interface TableCompactionsDeps extends Omit<TableCompactionDeps, "permit"> {
  readonly builds: { sendBatch(messages: { body: TableCompactionRequest }[]): Promise<unknown> };
  /** Asks for builds that were turned away meanwhile. */
  replan(): Promise<unknown>;
  log(event: Readonly<Record<string, unknown>>): void;
}

/**
 * Compacts, and settles the message: a compaction that failed harms nobody, and the cron asks again in an hour. Where a partition has
 * more than a run takes, another message asks for the rest.
 */
export async function consumeTableCompaction(
  message: Message,
  request: TableCompactionRequest,
  deps: TableCompactionsDeps,
): Promise<void> {
  const { domain, date } = request;
  const table = tableOfDomain(domain);
  const event: WideEvent = { event: "table_compaction", domain, date };
  const had = await withWasm(message, event, deps.log, async (permit) => {
    try {
      if (table === undefined) {
        event["outcome"] = "unknown_table";
        return;
      }
      const { kind, ...figures } = await compactTable({ ...deps, permit }, table, date);
      Object.assign(event, { outcome: kind, ...figures });
      if ("more" in figures && figures.more) await deps.builds.sendBatch([{ body: request }]);
    } catch (error) {
      event["outcome"] = "failed";
      event["error"] = String(error);
    }
  });
  if (!had) return;
  message.ack();
  await deps.replan().catch((error) => deps.log({ event: "replan_failed", error: String(error) }));
}
