/** The builds queue: one partition a message, to be built or compacted, or one compaction of bronze. */

import * as z from "zod";
import { buildPartition } from "../lakehouse/builds/build.ts";
import type { BuildDeps } from "../lakehouse/builds/outcome.ts";
import { tableOfDomain } from "../lakehouse/tables/catalog.ts";
import { type CompactionDeps, consumeCompaction } from "./compaction.ts";
import { consumeTableCompaction, type TableCompactionsDeps, tableCompactionRequest } from "./table-compaction.ts";
import { type WideEvent, withWasm } from "./with-wasm.ts";

const request = z.object({
  domain: z.string(),
  date: z.string().regex(/^\d{4}-\d\d-\d\d$/),
  nonce: z.string().max(100).optional(),
});

const compactionRequest = z.object({ kind: z.literal("compaction"), file: z.string() });

export interface BuildsDeps extends Omit<BuildDeps, "permit">, CompactionDeps, TableCompactionsDeps {
  /** Called after a build that may have made work for others. */
  replan(): Promise<unknown>;
  log(event: Readonly<Record<string, unknown>>): void;
}

/** Builds what the batch names. A message is acknowledged once its outcome stands in D1; the planner sends another where one is needed. */
export async function consumeBuilds(batch: MessageBatch, deps: BuildsDeps): Promise<void> {
  for (const message of batch.messages) await consume(message, deps);
}

async function consume(message: Message, deps: BuildsDeps): Promise<void> {
  const compaction = compactionRequest.safeParse(message.body);
  if (compaction.success) return consumeCompaction(message, compaction.data.file, deps);
  const ofTable = tableCompactionRequest.safeParse(message.body);
  if (ofTable.success) return consumeTableCompaction(message, ofTable.data, deps);
  const parsed = request.safeParse(message.body);
  const table = parsed.success ? tableOfDomain(parsed.data.domain) : undefined;
  if (!parsed.success || table === undefined) {
    // Nothing is lost by letting it go: messages only repeat what D1 says, and D1's planner knows no such table.
    deps.log({ event: "build", outcome: "unknown_table", body: JSON.stringify(message.body).slice(0, 200) });
    message.ack();
    return;
  }
  const { domain, date } = parsed.data;
  const event: WideEvent = { event: "build", domain, date };
  const had = await withWasm(message, event, deps.log, async (permit) => {
    try {
      const outcome = await buildPartition({ ...deps, permit }, table, parsed.data);
      event["outcome"] = outcome.kind;
      if (outcome.kind === "committed" || outcome.kind === "stepped")
        Object.assign(event, { run: outcome.lease.runId, rows_in: outcome.rowsIn, rows_out: outcome.rowsOut });
      if (outcome.kind !== "not_needed" && outcome.lease.vanished > 0) event["vanished"] = outcome.lease.vanished;
      if (outcome.kind === "sent") Object.assign(event, { run: outcome.lease.runId, error: outcome.message });
      if (outcome.kind === "failed")
        Object.assign(event, { run: outcome.lease.runId, failure: outcome.failureClass, error: outcome.message });
      message.ack();
    } catch (error) {
      event["outcome"] = "retry";
      event["error"] = String(error);
      message.retry({ delaySeconds: 5 });
    }
  });
  if (!had) return;
  // A later tick does it too: the cron is the guarantee, this is only sooner.
  await deps.replan().catch((error) => deps.log({ event: "replan_failed", error: String(error) }));
}
