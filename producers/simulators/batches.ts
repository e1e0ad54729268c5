/** Simulated events as request bodies: mostly NDJSON, sometimes a JSON array, now and then an event by itself. */
import type { SimulatedEvent } from "./plan.ts";
import type { SimulatedTopic } from "./shop.ts";

export type BodyFormat = "ndjson" | "array" | "object";

/** What one request carries: events of one topic. In `object` there is exactly one; `array` and `object` hold only what parses. */
export interface Batch {
  readonly topic: SimulatedTopic;
  readonly format: BodyFormat;
  readonly events: readonly SimulatedEvent[];
}

/** Of a topic's batches every fifth is a JSON array, and of its events every 97th goes alone: enough to try all bodies. */
const ARRAY_EVERY = 5;
const ALONE_EVERY = 97;
/** A batch is closed before its lines exceed this many UTF-8 bytes. */
const MAX_BATCH_BYTES = 1_000_000;

interface Open {
  events: SimulatedEvent[];
  bytes: number;
  seen: number;
  closed: number;
}

/** Groups events by topic into batches of at most `batchSize`, in their order within the topic, reading no further than needed. */
export async function* intoBatches(
  events: Iterable<SimulatedEvent> | AsyncIterable<SimulatedEvent>,
  batchSize: number,
): AsyncGenerator<Batch, void, undefined> {
  const topics = new Map<SimulatedTopic, Open>();

  function close(topic: SimulatedTopic, open: Open): Batch {
    const batch = open.events;
    open.events = [];
    open.bytes = 0;
    open.closed += 1;
    const asArray = open.closed % ARRAY_EVERY === 0 && batch.every(parses);
    return { topic, format: asArray ? "array" : "ndjson", events: batch };
  }

  for await (const event of events) {
    const { topic } = event;
    const open = topics.get(topic) ?? { events: [], bytes: 0, seen: 0, closed: 0 };
    topics.set(topic, open);
    open.seen += 1;
    if (open.seen % ALONE_EVERY === 0 && parses(event)) {
      yield { topic, format: "object", events: [event] };
      continue;
    }
    const bytes = Buffer.byteLength(event.line) + 1;
    if (open.events.length > 0 && open.bytes + bytes > MAX_BATCH_BYTES) yield close(topic, open);
    open.events.push(event);
    open.bytes += bytes;
    if (open.events.length >= batchSize) yield close(topic, open);
  }
  for (const [topic, open] of topics) if (open.events.length > 0) yield close(topic, open);
}

/** The request body and its content type. Lines go out as they are: not a byte is parsed and written anew. */
export function encodeBody(batch: Batch): { readonly contentType: string; readonly body: string } {
  const lines = batch.events.map((event) => event.line);
  switch (batch.format) {
    case "ndjson":
      return { contentType: "application/x-ndjson", body: `${lines.join("\n")}\n` };
    case "array":
      return { contentType: "application/json", body: `[${lines.join(",")}]` };
    case "object":
      return { contentType: "application/json", body: lines.join("") };
  }
}

/** In a JSON document one broken event spoils all, so only lines carry malformed ones. */
function parses({ label }: SimulatedEvent): boolean {
  return label.kind !== "fault" || label.expected !== "MALFORMED_PAYLOAD";
}
