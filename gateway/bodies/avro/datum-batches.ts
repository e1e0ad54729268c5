/** A run of Avro datums, of a block or a message, as batches of events. */
import { type EventBatch, type EventPayload, type Fault, malformed } from "../event-batch.ts";
import type { Datum } from "./datum.ts";
import type { WriterSchema } from "./writer-schemas.ts";

/** Decoded events take more memory than their datums: so many, of so many bytes, are decoded before they are judged. */
const EVENTS_PER_BATCH = 500;
const BATCH_BYTES = 200_000;

/**
 * Decodes `count` datums. Where one cannot be decoded nothing tells where the next begins: from there to the end the bytes are
 * one event with a fault, whose dead letter keeps all of them. `offsetOf` gives the position in the body of one in `data`.
 */
export function* datumBatches(
  data: Uint8Array,
  count: number,
  schema: WriterSchema,
  offsetOf: (at: number) => number,
): Generator<EventBatch> {
  let at = 0;
  for (let done = 0; done < count; ) {
    const begin = at;
    const starts: number[] = [];
    const ends: number[] = [];
    const events: unknown[] = [];
    const faults = new Map<number, Fault>();
    const add = (event: unknown, end: number, fault: Fault | null): void => {
      if (fault !== null) faults.set(events.length, fault);
      starts.push(at);
      ends.push(end);
      events.push(fault === null ? event : undefined);
      at = end;
    };
    for (; done < count && events.length < EVENTS_PER_BATCH && at - begin < BATCH_BYTES; done++) {
      const datum = tryDecode(schema, data, at);
      if (typeof datum === "string") {
        const lost = count - done;
        const others = lost === 1 ? "" : `; with it the block's other ${lost - 1} events from here on are lost`;
        add(
          undefined,
          data.byteLength,
          malformed(`event ${done + 1} of ${count} in the block cannot be decoded: ${datum}${others}`),
        );
        done = count;
      } else {
        add(datum.event, datum.end, datum.fault);
      }
    }
    if (done === count && at < data.byteLength) {
      const rest = data.byteLength - at;
      add(undefined, data.byteLength, malformed(`after the block's ${count} events there are ${rest} more bytes`));
    }
    const payloadOf = (index: number): EventPayload => {
      const start = starts[index] ?? 0;
      const bytes = data.subarray(start, ends[index] ?? data.byteLength);
      const text = faults.has(index) ? undefined : jsonOf(schema, bytes);
      const offset = offsetOf(start);
      return text === undefined ? { offset, bytes, text: false } : { offset, bytes: encoder.encode(text), text: true };
    };
    yield {
      events,
      faults,
      suspectSurrogates: false,
      schemaVersion: schema.version,
      reread: () => false,
      payloadOf,
    };
  }
}
const encoder = new TextEncoder();

/** The datum, or why it has no end. */
function tryDecode(schema: WriterSchema, data: Uint8Array, at: number): Datum | string {
  try {
    return schema.decode(data, at);
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

// A refused event is kept as JSON, so that it can be sent again as JSON; decoded anew, because admission may have replaced
// numbers. One that JSON cannot say is kept as its datum.
function jsonOf(schema: WriterSchema, bytes: Uint8Array): string | undefined {
  const { event, isJson } = schema.decode(bytes, 0);
  return isJson ? JSON.stringify(event) : undefined;
}
