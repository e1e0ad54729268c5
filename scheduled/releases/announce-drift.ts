/** A duty: fields that events bring and no schema of their topic has become events of the topic `schema_changes`, each once. */
import { hasMaskedFields } from "../../contracts/masking.ts";
import { contractOf } from "../../contracts/registry.ts";
import { recordAnnouncedFields, type UnknownField, unannouncedFields } from "../../sql/statements/unknown-fields.ts";
import { emit } from "../platform-events/emit.ts";
import { platformEventId } from "../platform-events/event-id.ts";
import type { SchemaChange } from "../platform-events/schema-change.ts";
import type { AnnounceDeps } from "./announce.ts";

/** A run announces so many. */
const MAX_ANNOUNCED = 500;
/** As long as a field is not seen, until it is forgotten. */
const KEPT_MS = 30 * 86_400_000;

/** Announces and then records: a crash in between announces the same events again, under the same ids. One query of no row when there is nothing new. */
export async function announceDrift(
  deps: AnnounceDeps,
  now: number,
): Promise<{ readonly drift: number; readonly more?: "now" }> {
  const fields = await unannouncedFields(deps.db, MAX_ANNOUNCED);
  if (fields.length === 0) return { drift: 0 };
  await emit("schema_changes", fields.flatMap(driftEvent), now, deps);
  const forgotten = new Date(now - KEPT_MS).toISOString().slice(0, 10);
  await deps.db.batch(recordAnnouncedFields(deps.db, fields, new Date(now).toISOString(), forgotten));
  return { drift: fields.length, ...(fields.length === MAX_ANNOUNCED ? { more: "now" } : {}) };
}

/** None for a topic that has no contract any more. */
function driftEvent({ topic, pointer, first_seen }: UnknownField): SchemaChange[] {
  const contract = contractOf(topic);
  if (contract === undefined) return [];
  const detail = hasMaskedFields(contract) ? "sealed, names too: the topic has masked fields" : "kept in _extra";
  return [
    {
      event_id: platformEventId("drift_seen", topic, pointer, first_seen),
      event_timestamp: first_seen,
      topic,
      change: "drift_seen",
      contract_version: contract.version,
      fields: [{ pointer, change: "undeclared", detail }],
    },
  ];
}
