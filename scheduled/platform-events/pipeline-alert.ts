/** An event of the topic `pipeline_alerts` (contracts/pipeline_alerts.yaml). */
import * as z from "zod";
import type { Condition } from "../conditions/condition.ts";
import { platformEventId } from "./event-id.ts";

export interface PipelineAlert {
  readonly event_id: string;
  readonly alert_id: string;
  /** ISO 8601 UTC. */
  readonly event_timestamp: string;
  readonly kind: string;
  readonly severity: Condition["severity"];
  readonly state: "firing" | "resolved";
  readonly message: string;
  readonly domain?: string;
  readonly partition_date?: string;
  readonly run_id?: string;
  readonly measured?: number;
  readonly bound?: number;
}

/** The form in which the catalog keeps it, as JSON. */
export const pipelineAlertSchema: z.ZodType<PipelineAlert> = z.object({
  event_id: z.string(),
  alert_id: z.string(),
  event_timestamp: z.string(),
  kind: z.string(),
  severity: z.enum(["info", "warning", "critical"]),
  state: z.enum(["firing", "resolved"]),
  message: z.string(),
  domain: z.string().exactOptional(),
  partition_date: z.string().exactOptional(),
  run_id: z.string().exactOptional(),
  measured: z.number().exactOptional(),
  bound: z.number().exactOptional(),
});

/** Where an alert stands: it fires since `since` (ISO 8601 UTC), and was announced so often before. */
export interface AlertPosition {
  readonly state: PipelineAlert["state"];
  readonly since: string;
  readonly announced: number;
}

/** As the contract has it. */
const MESSAGE_CHARACTERS = 2_048;

/** The event of a condition; `at` is ISO 8601 UTC. What decides its id is the position: the same one, the same id. */
export function pipelineAlert(
  condition: Condition,
  { state, since, announced }: AlertPosition,
  at: string,
): PipelineAlert {
  const { key, kind, severity, message } = condition;
  return {
    event_id: platformEventId("pipeline_alerts", key, since, state, announced),
    alert_id: key,
    event_timestamp: at,
    kind,
    severity,
    state,
    // A cut may fall between the halves of a character.
    message: message.slice(0, MESSAGE_CHARACTERS).toWellFormed(),
    ...(condition.domain === undefined ? {} : { domain: condition.domain }),
    ...(condition.partitionDate === undefined ? {} : { partition_date: condition.partitionDate }),
    ...(condition.runId === undefined ? {} : { run_id: condition.runId }),
    ...(isNumber(condition.measured) ? { measured: condition.measured } : {}),
    ...(isNumber(condition.bound) ? { bound: condition.bound } : {}),
  };
}

// JSON has no other numbers.
function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
