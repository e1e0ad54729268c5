/**
 * The order of a run that stands, as an object beside its table: which files its builder may read, and what its commit is held against.
 * Written once, before the builder has its answer; it goes with the run.
 */
import * as z from "zod";
import type { TableBase } from "../../tables/catalog.ts";
import { type LakeBucket, MissingObjectError } from "../../tables/lake.ts";
import { orderKey } from "../../tables/stage.ts";
import { workOrderSchema } from "./wire.ts";

const standingSchema = z.object({
  order: workOrderSchema,
  lease: z.object({
    domain: z.string(),
    date: z.string(),
    runId: z.string(),
    fence: z.int(),
    version: z.int(),
    rebuilds: z.int(),
    rebuild: z.boolean(),
    now: z.int(),
    sealed: z.boolean(),
    retryCount: z.int(),
    vanished: z.int(),
    splits: z.int(),
    pieces: z.int(),
  }),
  /** Digest of all that the deploy said of the table. */
  content: z.string(),
  /** Whether the rows of its inputs are of several generations. */
  mixed: z.boolean(),
  /** What the version says of its inputs. */
  built: z.object({
    rowsIn: z.int(),
    inputs: z.int(),
    digest: z.string(),
    completeThrough: z.string().nullable(),
    pins: z.array(z.object({ table: z.string(), version: z.int() })),
  }),
});

export type Standing = z.infer<typeof standingSchema>;

export async function putStanding(
  bucket: Pick<LakeBucket, "put">,
  table: TableBase,
  standing: Standing,
): Promise<void> {
  const { date, runId } = standing.lease;
  await bucket.put(orderKey(table, date, runId), JSON.stringify(standing), {
    httpMetadata: { contentType: "application/json" },
  });
}

/** Throws `MissingObjectError`, and what R2 throws. */
export async function readStanding(
  bucket: Pick<LakeBucket, "get">,
  table: TableBase,
  date: string,
  runId: string,
): Promise<Standing> {
  const key = orderKey(table, date, runId);
  const object = await bucket.get(key);
  if (object === null) throw new MissingObjectError(`${key}, the order of a native build, is not in the bucket`);
  return standingSchema.parse(await object.json());
}
