/** The verdict of an event that is over a bound: it is refused alone, unparsed, and its neighbours are judged as usual. */
import { overBound } from "../../schemas/json-bounds.ts";
import { type Fault, malformed } from "./event-batch.ts";

/** Undefined for an event in [start, end) that may be parsed. */
export function boundsFault(bytes: Uint8Array, start: number, end: number): Fault | undefined {
  const over = overBound(bytes, start, end);
  if (over === undefined) return undefined;
  const detail = `the event ${over.detail}`;
  if (over.bound === "depth") return malformed(detail);
  return { error_type: "EVENT_TOO_LARGE", detail: `${detail}; send large parts by reference` };
}
