/** Rows found, as the trace tells them. */
import type { Contract } from "../../../contracts/contract.ts";
import { formatDate, formatTimestamp } from "../../../schemas/time.ts";
import type { Value } from "../../engine/columns/value.ts";
import { deadLetterOf } from "../dead-letters/dead-letter.ts";
import type { FoundRow } from "./find-rows.ts";

export interface RowPlace {
  /** R2 key. */
  readonly file: string;
  readonly row_group: number;
  /** Counted from the file's first. */
  readonly row: number;
}

/** One stored copy of the event: each time that it was sent and accepted makes one. */
export interface EventCopy {
  readonly topic: string;
  readonly message_id: string;
  /** The event's position in its request. */
  readonly event_index: number;
  readonly producer: string;
  readonly received: string;
  readonly schema_id: number;
  readonly partition_date: string;
  readonly bronze: RowPlace;
}

/** A refused event of that id. */
export interface DeadLetter {
  readonly dlq_id: string;
  readonly topic: string;
  readonly error_type: string;
  readonly stage: string;
  readonly request_id: string;
  readonly event_index: number;
  readonly received: string;
  readonly bronze: RowPlace;
}

export function copyColumns(contract: Contract): string[] {
  return ["_message", "_event", "_producer", "_schema", "_received", contract.partition.column];
}

export function copyOf(contract: Contract, { values, ...place }: FoundRow): EventCopy {
  return {
    topic: contract.topic,
    message_id: text(values["_message"]),
    event_index: Number(values["_event"]),
    producer: text(values["_producer"]),
    received: formatTimestamp(Number(values["_received"])),
    schema_id: Number(values["_schema"]),
    partition_date: formatDate(Number(values[contract.partition.column])),
    bronze: place,
  };
}

/** Throws a ZodError for a row that is no dead letter. */
export function refusalOf({ values, ...place }: FoundRow): DeadLetter {
  const letter = deadLetterOf(values);
  const { dlq_id, error_type, stage, request_id, event_index } = letter;
  const { source_topic: topic, received_at: received } = letter;
  return { dlq_id, topic, error_type, stage, request_id, event_index, received, bronze: place };
}

function text(value: Value | undefined): string {
  return typeof value === "string" ? value : "";
}
