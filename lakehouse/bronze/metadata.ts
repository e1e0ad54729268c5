/** What bronze adds to an event. */
import type { Field } from "../engine/columns/column.ts";

/**
 * `_message` and `_event` name the durable message and the event's position in its request, so that copies of one event can be told
 * apart. `_extra` and `_lexical` hold what the typed columns do not (schemas/event-residue.ts).
 * `_replay_of` is the first dead letter of an event that was refused and replayed; older files do not have the column.
 */
export const METADATA_FIELDS = [
  { name: "_message", type: { kind: "utf8" }, nullable: false },
  { name: "_event", type: { kind: "int32" }, nullable: false },
  { name: "_producer", type: { kind: "utf8" }, nullable: false },
  { name: "_schema", type: { kind: "int32" }, nullable: false },
  { name: "_received", type: { kind: "timestamp" }, nullable: false },
  { name: "_extra", type: { kind: "utf8" }, nullable: true },
  { name: "_lexical", type: { kind: "utf8" }, nullable: true },
  { name: "_replay_of", type: { kind: "utf8" }, nullable: true },
] as const satisfies readonly Field[];
