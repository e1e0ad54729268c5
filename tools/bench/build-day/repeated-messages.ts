/**
 * Messages of a minute that went through the gateway, sent again as those of later minutes: with other ids, at another time. It spares
 * the sampled day what judging and encoding costs, and nothing else: queue, buffers and builds take them as they take any.
 */
import { v7 as uuidv7 } from "uuid";
import { decodeMessage, encodeMessage } from "../../../schemas/packed-block.ts";
import { ID_MARK, SLOT_AT, slotText } from "./event-ids.ts";

const mark = Buffer.from(ID_MARK);
let sequence = 0;

/** The message as the gateway would have made it now, of events of another slot. */
export function repeated(message: Uint8Array, slot: number, nowMs: number): Uint8Array {
  const { header, body } = decodeMessage(message);
  const events = Buffer.from(body);
  const text = slotText(slot);
  for (let at = events.indexOf(mark); at >= 0; at = events.indexOf(mark, at + mark.length)) {
    events.write(text, at + SLOT_AT, "latin1");
  }
  return encodeMessage(
    {
      ...header,
      message_id: uuidv7({ msecs: nowMs }),
      request_id: uuidv7({ msecs: nowMs }),
      received: nowMs * 1_000,
      gateway: "repeated",
      sequence: ++sequence,
    },
    [events],
  );
}
