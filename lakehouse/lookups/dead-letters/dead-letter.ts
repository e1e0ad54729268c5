/** A dead letter as the lake's tables have it (schemas/dead_letters). */
import * as z from "zod";
import { formatTimestamp } from "../../../schemas/time.ts";
import type { Batch } from "../../engine/columns/column.ts";
import { rowAt, type Value } from "../../engine/columns/value.ts";

export const DEAD_LETTERS_TOPIC = "dead_letters";

const integer = z.union([z.number(), z.bigint()]).transform(Number);
const optionalText = z.string().nullable().default(null);
const optionalInteger = integer.nullable().default(null);

const row = z.object({
  dlq_id: z.string(),
  source_topic: z.string(),
  request_id: z.string(),
  event_index: integer,
  byte_offset: optionalInteger,
  event_id: optionalText,
  producer: z.string(),
  contract_version: optionalText,
  schema_version: optionalInteger,
  stage: z.string(),
  error_type: z.string(),
  errors: z.array(z.object({ error_type: z.string(), pointer: z.string(), rule: optionalText, detail: z.string() })),
  payload: optionalText,
  payload_encoding: z.string(),
  payload_ref: optionalText,
  received_at: integer.transform(formatTimestamp),
  attempts: integer,
  replay_of: optionalText,
});

/** `received_at` is ISO 8601 UTC; `payload` is null where it was not read, too. */
export type StoredDeadLetter = z.infer<typeof row>;

export const DEAD_LETTER_COLUMNS: readonly string[] = Object.keys(row.shape);

/** What is told of a dead letter without its payload. */
export const COLUMNS_WITHOUT_PAYLOAD: readonly string[] = DEAD_LETTER_COLUMNS.filter((name) => name !== "payload");

/** Row `index` of a batch, as `deadLetterOf` has it. */
export function deadLetterAt(batch: Batch, index: number): StoredDeadLetter {
  return deadLetterOf(rowAt(batch, index));
}

/** A row by column name; columns that it lacks are null. Throws a ZodError for rows that are no dead letters. */
export function deadLetterOf(values: Readonly<Record<string, Value>>): StoredDeadLetter {
  return row.parse(values);
}
