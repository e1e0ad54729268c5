/** What an operator should know for as long as it lasts. An alert begins when its condition appears and ends when it is gone. */
import * as z from "zod";

export interface Condition {
  /** The same text while the condition lasts, another for another: `ledger_difference/orders/2026-11-21T05`. */
  readonly key: string;
  /** One of the contract's kinds (contracts/pipeline_alerts.yaml). */
  readonly kind: string;
  readonly severity: "info" | "warning" | "critical";
  /** What is wrong, where, and what to do; at most 2,048 characters and no values of events. */
  readonly message: string;
  readonly domain?: string;
  readonly partitionDate?: string;
  readonly runId?: string;
  readonly measured?: number;
  readonly bound?: number;
}

// JSON writes a number that is not finite as null.
const measure = z.union([z.number(), z.null().transform(() => Number.NaN)]);

/** The form in which the catalog keeps it, as JSON. */
export const conditionSchema: z.ZodType<Condition> = z.object({
  key: z.string(),
  kind: z.string(),
  severity: z.enum(["info", "warning", "critical"]),
  message: z.string(),
  domain: z.string().exactOptional(),
  partitionDate: z.string().exactOptional(),
  runId: z.string().exactOptional(),
  measured: measure.exactOptional(),
  bound: measure.exactOptional(),
});

/** Finds the conditions of one sort that hold at `now`, milliseconds since the epoch. Bounded: it reads what is wrong, not all there is. */
export interface ConditionSource {
  /** As the log names it. */
  readonly name: string;
  find(now: number): Promise<readonly Condition[]>;
}

/** A source that finds more finds too much for people to read: the rest is left out, and what is left out is not taken for gone. */
export const MAX_CONDITIONS = 100;
