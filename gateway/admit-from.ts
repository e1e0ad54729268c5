/** From a batch of events, as a body's format gives it, to the verdict of each. */
import { isExtreme } from "../schemas/exact-json.ts";
import type { Admission, AdmissionContext } from "./admit/admitter.ts";
import type { TopicAdmitter } from "./admit/topics.ts";
import type { EventBatch, Fault } from "./bodies/event-batch.ts";
import { concealedDetail } from "./masking/detail.ts";

/**
 * Admits the event at a position of a batch, or refuses it for its fault. An event with a number that `JSON.parse` may have altered
 * is read again, and the verdict is of what stands in the batch then: so no number is looked at before admission does.
 */
export function admitFrom(
  batch: EventBatch,
  position: number,
  index: number,
  admitter: TopicAdmitter,
  schemaVersion: number | null,
  context: AdmissionContext,
): Admission {
  const { output } = context;
  const start = output.at;
  const admission = admitStanding(batch, position, index, admitter, schemaVersion, context);
  if (admission.accepted && admission.sure) return admission;
  if (!isExtreme(batch.events[position]) || !batch.reread(position)) return admission;
  output.at = start;
  return admitStanding(batch, position, index, admitter, schemaVersion, context);
}

function admitStanding(
  { events, faults }: EventBatch,
  position: number,
  index: number,
  admitter: TopicAdmitter,
  schemaVersion: number | null,
  context: AdmissionContext,
): Admission {
  const fault = faults.size === 0 ? undefined : faults.get(position);
  if (fault !== undefined) return refused(fault, admitter.pii);
  return admitter.admit(events[position], index, schemaVersion, context);
}

/** The refusal of bytes that are no event, or of no known schema. */
function refused({ error_type, detail }: Fault, pii: boolean): Admission {
  const shown = pii ? concealedDetail(detail) : detail;
  return { accepted: false, errors: [{ error_type, pointer: "", rule: null, detail: shown }] };
}
