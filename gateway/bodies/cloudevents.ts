/**
 * CloudEvents 1.0.2 to events of a topic. `data` is the event. What the envelope says is not lost: all its attributes stand in
 * the event's field `_cloudevent`, an unknown field like any other, which bronze keeps in `_extra`. Where the event lacks
 * its id or its event time, the envelope's `id` and `time` fill them.
 */
import type { Contract } from "../../contracts/contract.ts";
import { ATTRIBUTES_FIELD, isJsonObject } from "../../schemas/event-residue.ts";
import { isExtreme } from "../../schemas/exact-json.ts";
import { boundsFault } from "./element-bounds.ts";
import { type EventBatch, type EventPayload, type Fault, malformed, parserMessage, textOf } from "./event-batch.ts";
import { exactEvent } from "./json.ts";
import { isJsonType } from "./media-type.ts";

type Json = Record<string, unknown>;

/** Which fields of the event the envelope may fill. */
export interface CloudEventMapping {
  readonly idField: string | null;
  readonly timeField: string | null;
}

/** A key of several fields is not filled: an envelope's id identifies the event, not one of its parts. */
export function mappingOf(contract: Contract): CloudEventMapping {
  const kindOf = (name: string) => contract.fields.find((field) => field.name === name)?.kind;
  const [idField, ...others] = contract.dedupeKey;
  const idFills = idField !== undefined && others.length === 0 && kindOf(idField) === "string";
  return {
    idField: idFills ? idField : null,
    timeField: kindOf(contract.eventTime) === "timestamp" ? contract.eventTime : null,
  };
}

/** A batch of envelopes as a batch of events. */
export function mapCloudEvents(batch: EventBatch, mapping: CloudEventMapping): EventBatch {
  return mapBatch(batch, (value) => eventOf(value, mapping));
}

/** A batch of data whose envelope came in headers. */
export function mapCloudEventData(batch: EventBatch, attributes: Json, mapping: CloudEventMapping): EventBatch {
  return mapBatch(batch, (value) => withAttributes(value, attributes, mapping));
}

type Mapped = { readonly event: unknown } | { readonly fault: Fault };

function mapBatch(batch: EventBatch, map: (value: unknown) => Mapped): EventBatch {
  batch.events.forEach((value, index) => {
    if (isExtreme(value)) batch.reread(index);
  });
  const faults = new Map(batch.faults);
  const events = batch.events.map((value, index) => {
    if (faults.has(index)) return undefined;
    const mapped = map(value);
    if ("event" in mapped) return mapped.event;
    faults.set(index, mapped.fault);
    return undefined;
  });
  return {
    events,
    faults,
    suspectSurrogates: true,
    schemaVersion: null,
    reread: () => false,
    payloadOf(index) {
      const payload = batch.payloadOf(index);
      return faults.has(index) ? payload : mappedPayload(payload, map);
    },
  };
}

// A dead letter holds the event, not the envelope, so that it can be sent again as it is. Mapped anew from the bytes:
// admission may have replaced numbers in the parsed event.
function mappedPayload(payload: EventPayload, map: (value: unknown) => Mapped): EventPayload {
  const { event, fault } = exactEvent(textOf(payload.bytes) ?? "null");
  // What the exact parser cannot read, though JSON.parse can, is kept as it was received.
  if (fault !== null) return payload;
  const mapped = map(event);
  if (!("event" in mapped)) return payload;
  try {
    return { offset: payload.offset, bytes: encoder.encode(JSON.stringify(mapped.event)), text: true };
  } catch (error) {
    // Nested deeper than the stack allows: kept as it was received.
    if (error instanceof RangeError) return payload;
    throw error;
  }
}
const encoder = new TextEncoder();

/** The attributes that every envelope has (CloudEvents 1.0.2, "REQUIRED Attributes"). */
const REQUIRED = ["id", "source", "type"] as const;

/** Why the attributes are no CloudEvent's, or null. */
export function attributesFault(attributes: Json): Fault | null {
  const version = own(attributes, "specversion");
  if (version !== "1.0") {
    const got = typeof version === "string" ? `"${version.slice(0, 20)}"` : "none";
    return malformed(`a CloudEvent of specversion "1.0" is expected, got ${got}`);
  }
  for (const name of REQUIRED) {
    const value = own(attributes, name);
    if (typeof value !== "string" || value === "")
      return malformed(`the CloudEvent has no ${name}: a text is required`);
  }
  return null;
}

function eventOf(envelope: unknown, mapping: CloudEventMapping): Mapped {
  if (!isJsonObject(envelope)) return { fault: malformed("a CloudEvent is a JSON object") };
  const fault = attributesFault(envelope);
  if (fault !== null) return { fault };
  const attributes: Json = {};
  for (const key of Object.keys(envelope)) {
    // An attribute that is null is absent (JSON format 1.0.2, section 2.2).
    if (key !== "data" && key !== "data_base64" && envelope[key] !== null) setOwn(attributes, key, envelope[key]);
  }
  const data = dataOf(envelope);
  return "fault" in data ? data : withAttributes(data.event, attributes, mapping);
}

function dataOf(envelope: Json): Mapped {
  const type = own(envelope, "datacontenttype");
  if (type !== undefined && (typeof type !== "string" || !isJsonType(type))) {
    return { fault: malformed("the CloudEvent's datacontenttype is not JSON: only JSON data is taken") };
  }
  const data = own(envelope, "data");
  const base64 = own(envelope, "data_base64");
  if (data === undefined && base64 === undefined) {
    return { fault: malformed("the CloudEvent has no data: data is the event") };
  }
  if (base64 === undefined) return { event: data };
  if (data !== undefined) return { fault: malformed("the CloudEvent has both data and data_base64") };
  const bytes = typeof base64 === "string" && BASE64.test(base64) ? Buffer.from(base64, "base64") : undefined;
  const text = bytes === undefined ? undefined : textOf(bytes);
  if (bytes === undefined || text === undefined)
    return { fault: malformed("the CloudEvent's data_base64 is not base64 of UTF-8") };
  const over = boundsFault(bytes, 0, bytes.length);
  if (over !== undefined) return { fault: over };
  try {
    JSON.parse(text);
  } catch (error) {
    return { fault: malformed(`the CloudEvent's data_base64 is not JSON: ${parserMessage(error)}`) };
  }
  const { event, fault } = exactEvent(text);
  return fault === null ? { event } : { fault };
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

function withAttributes(data: unknown, attributes: Json, mapping: CloudEventMapping): Mapped {
  // Whatever else it is, admission says that it is no event.
  if (!isJsonObject(data)) return { event: data };
  if (Object.hasOwn(data, ATTRIBUTES_FIELD)) {
    return { fault: malformed(`the data has a field ${ATTRIBUTES_FIELD}, where the CloudEvent's attributes belong`) };
  }
  const { idField, timeField } = mapping;
  if (idField !== null && !Object.hasOwn(data, idField)) setOwn(data, idField, attributes["id"]);
  const time = own(attributes, "time");
  if (timeField !== null && time !== undefined && !Object.hasOwn(data, timeField)) setOwn(data, timeField, time);
  setOwn(data, ATTRIBUTES_FIELD, attributes);
  return { event: data };
}

/** A member of the envelope; null is absence. */
function own(envelope: Json, name: string): unknown {
  return Object.hasOwn(envelope, name) ? (envelope[name] ?? undefined) : undefined;
}

// Assignment to `__proto__` would set the prototype instead.
function setOwn(target: Json, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
