/** The bodies of requests, made once and stamped anew for each: ids of a slot of the day, and the time of the moment. */
import { randomBytes } from "node:crypto";
import { simulate } from "../../../producers/simulators/plan.ts";
import { eventId, ID_MARK, SLOT_AT, slotText } from "./event-ids.ts";
import { BUSY_TOPIC } from "./project.ts";

export const EVENTS_PER_REQUEST = 100;
const EVENT_BYTES = 500;
/** As `toISOString` writes it. */
const TIME_TEXT = "2000-01-01T00:00:00.000Z";

export class RequestBody {
  readonly #bytes: Buffer;
  readonly #slots: readonly number[];
  readonly #times: readonly number[];

  constructor(text: string) {
    this.#bytes = Buffer.from(text);
    this.#slots = placesOf(this.#bytes, ID_MARK).map((at) => at + SLOT_AT);
    this.#times = placesOf(this.#bytes, TIME_TEXT);
  }

  stamped(slot: number, nowMs: number): Uint8Array {
    for (const at of this.#slots) this.#bytes.write(slotText(slot), at, "latin1");
    const time = new Date(nowMs).toISOString();
    for (const at of this.#times) this.#bytes.write(time, at, "latin1");
    return Uint8Array.from(this.#bytes);
  }
}

function placesOf(bytes: Buffer, text: string): number[] {
  const places: number[] = [];
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) places.push(at);
  return places;
}

/** Clicks, a hundred a request. Padded by blanks: the event's size is the body's, not what it holds. */
export function busyBodies(requests: number): RequestBody[] {
  const now = Date.now();
  const events = simulate({
    seed: 13,
    topics: [BUSY_TOPIC],
    events: requests * EVENTS_PER_REQUEST,
    startMs: now - 60_000,
    endMs: now,
    faultRate: 0,
    duplicateRate: 0,
    lateRate: 0,
  });
  const lines = Array.from(events, ({ line }) =>
    JSON.stringify({ ...JSON.parse(line), event_id: newId(), event_timestamp: TIME_TEXT }).padEnd(EVENT_BYTES - 1),
  );
  return Array.from({ length: requests }, (_, number) => {
    const body = lines.slice(number * EVENTS_PER_REQUEST, (number + 1) * EVENTS_PER_REQUEST);
    return new RequestBody(`[${body.join(",")}]`);
  });
}

/** One event of a topic as `sluice new-topic` makes it. */
export function quietBody(): RequestBody {
  const event = { event_id: newId(), event_timestamp: TIME_TEXT, kind: "first", value: 12.5 };
  return new RequestBody(JSON.stringify(event).padEnd(EVENT_BYTES));
}

function newId(): string {
  return eventId(0, randomBytes(6).toString("hex"));
}
