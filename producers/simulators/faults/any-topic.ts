/** Faults that events of any topic can have. */
import { type Fault, withFields } from "./fault.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** What every event has. */
export interface AnyEvent {
  readonly event_id: string;
  readonly event_timestamp: string;
}

export const anyTopicFaults: readonly Fault<AnyEvent>[] = [
  {
    name: "truncated",
    expected: "MALFORMED_PAYLOAD",
    hidesId: true,
    corrupt(event, { random }) {
      const text = JSON.stringify(event);
      return text.slice(0, random.int(Math.ceil(text.length * 0.2), Math.floor(text.length * 0.9)));
    },
  },
  {
    name: "not_an_object",
    expected: "MALFORMED_PAYLOAD",
    hidesId: true,
    corrupt: (event, { random }) => JSON.stringify(random.pick([event.event_id, 42, true])),
  },
  {
    name: "unreleased_schema_version",
    expected: "UNKNOWN_SCHEMA",
    corrupt: (event) => withFields(event, { schema_version: 99 }),
  },
  {
    name: "event_id_missing",
    expected: "MISSING_FIELD",
    hidesId: true,
    corrupt: (event) => withFields(event, { event_id: undefined }),
  },
  {
    name: "event_timestamp_missing",
    expected: "MISSING_FIELD",
    corrupt: (event) => withFields(event, { event_timestamp: undefined }),
  },
  {
    name: "event_timestamp_not_rfc3339",
    expected: "INVALID_FORMAT",
    corrupt(event, { random }) {
      const [date = "", time = ""] = event.event_timestamp.split("T");
      const [year, month, day] = date.split("-");
      return withFields(event, {
        event_timestamp: random.pick([`${day}/${month}/${year} ${time.slice(0, 5)}`, `${date}T25:61:00Z`, "yesterday"]),
      });
    },
  },
  {
    // A month exceeds every topic's window, and no retry can make it younger.
    name: "event_timestamp_a_month_old",
    expected: "TIMESTAMP_OUT_OF_RANGE",
    corrupt: (event, { random, receivedMs }) =>
      withFields(event, { event_timestamp: isoTime(receivedMs - 30 * DAY_MS - random.int(0, 5 * DAY_MS)) }),
  },
  {
    name: "event_timestamp_in_the_future",
    expected: "TIMESTAMP_OUT_OF_RANGE",
    corrupt: (event, { random, receivedMs }) =>
      withFields(event, { event_timestamp: isoTime(receivedMs + DAY_MS + random.int(0, 2 * DAY_MS)) }),
  },
  {
    // Contracts keep unknown fields, so only the size is wrong.
    name: "debug_dump_attached",
    expected: "EVENT_TOO_LARGE",
    corrupt: (event) => withFields(event, { debug_dump: "at frame 0x7f; ".repeat(8_000) }),
  },
];

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
