/** The masker of local runs, with ivs from a counter, so that what is sealed is the same in every run. */
import type { RecordPlan } from "../../gateway/admit/plan.ts";
import { readMaskingKeys } from "../../gateway/masking/keyring.ts";
import { createMasker, type Masker } from "../../gateway/masking/masker.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { maskEvent } from "./masked-event.ts";

export function localKeys() {
  const keys = readMaskingKeys({}, true);
  if (!keys.ok) throw new Error(keys.reason);
  return keys;
}

export function localMasker(): Masker {
  let ivs = 0;
  return createMasker(localKeys(), (length) => {
    const iv = Buffer.alloc(length);
    iv.writeUInt32BE(++ivs, length - 4);
    return iv;
  });
}

/** What of an event comes back from where it is stored: the event itself; in a topic with masked fields its known fields, masked. */
export function storedForm(event: unknown, plan: RecordPlan): unknown {
  return plan.pii && isJsonObject(event) ? maskEvent(event, plan, localMasker()) : event;
}
