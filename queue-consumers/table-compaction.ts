/** A message of the builds queue that asks for a compaction of a partition of a table. */
import * as z from "zod";
import { waitForWasm } from "../lakehouse/engine/parquet/wait-for-wasm.ts";
import { tableOfDomain } from "../lakehouse/tables/catalog.ts";
import { compactTable, type TableCompactionDeps } from "../lakehouse/upkeep/table-compaction/compact.ts";
import type { TableCompactionRequest } from "../lakehouse/upkeep/table-compaction/schedule.ts";
import { busyDelay, WASM_WAIT_MS } from "./wasm-wait.ts";

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
  const started = Date.now();
  const { domain, date } = request;
  const event: Record<string, unknown> = { event: "table_compaction", domain, date };
  try {
    using permit = await waitForWasm(WASM_WAIT_MS);
    if (permit === undefined) {
      event["outcome"] = "busy";
      message.retry({ delaySeconds: busyDelay(message.attempts) });
      return;
    }
    const table = tableOfDomain(domain);
    const { kind, ...figures } =
      table === undefined ? ({ kind: "unknown_table" } as const) : await compactTable({ ...deps, permit }, table, date);
    Object.assign(event, { outcome: kind, ...figures });
    if (kind === "committed" && "more" in figures && figures.more) await deps.builds.sendBatch([{ body: request }]);
  } catch (error) {
    event["outcome"] = "failed";
    event["error"] = String(error);
  } finally {
    event["ms"] = Date.now() - started;
    deps.log(event);
  }
  message.ack();
  await deps.replan().catch((error) => deps.log({ event: "replan_failed", error: String(error) }));
}
