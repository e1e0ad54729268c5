/** A backfill as the platform answers with it. */
import * as z from "zod";

const partition = z.looseObject({ table: z.string(), partition_date: z.string(), status: z.string().nullable() });

export const backfillSummary = z.looseObject({
  backfill_id: z.string(),
  table: z.string(),
  layer: z.string(),
  from: z.string(),
  to: z.string(),
  reprocess: z.string(),
  max_active_runs: z.int(),
  state: z.enum(["RUNNING", "CANCELLING", "CANCELLED", "DONE"]),
  counts: z.object({
    total: z.int(),
    waiting: z.int(),
    started: z.int(),
    done: z.int(),
    failed: z.int(),
    cancelled: z.int(),
  }),
  created_at: z.string(),
  created_by: z.string(),
});
export const backfillDetail = backfillSummary.extend({
  started: z.array(partition),
  failed: z.array(partition.extend({ error_message: z.string().nullable() })),
});
export type BackfillSummary = z.infer<typeof backfillSummary>;
export type BackfillDetail = z.infer<typeof backfillDetail>;

export const backfillPlan = z.looseObject({
  backfill_id: z.string().nullable(),
  refused: z.array(z.looseObject({ table: z.string(), partition_date: z.string() })),
  left: z.int(),
  tables: z.array(z.string()),
  followers: z.array(z.string()),
  partitions: z.array(partition).optional(),
});
export type BackfillPlan = z.infer<typeof backfillPlan>;

/** `3 of 7 are built, 2 under way, 1 failed`. */
export function progressText({ counts }: BackfillSummary): string {
  const { total, done, started, failed, cancelled } = counts;
  const others = [
    ...(started > 0 ? [`${started} under way`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
  ];
  return [`${done} of ${total} built`, ...others].join(", ");
}
