/** A body of any format to batches of events. */
import type { Contract } from "../../contracts/contract.ts";
import { containerBatches } from "./avro/container.ts";
import { wireFormatBatches } from "./avro/wire-format.ts";
import { openBeacon } from "./beacon.ts";
import type { HeaderAttributes } from "./cloudevent-headers.ts";
import { attributesFault, mapCloudEventData, mapCloudEvents, mappingOf } from "./cloudevents.ts";
import { type EventBatch, MalformedBody } from "./event-batch.ts";
import { gunzip } from "./gzip.ts";
import { isArrayDocument, jsonBatches, valueBatch } from "./json.ts";
import { joined } from "./line-pieces.ts";
import type { BodyFormat } from "./media-type.ts";
import { ndjsonBatches } from "./ndjson.ts";

export interface EncodedBody {
  readonly format: BodyFormat;
  readonly encoding: "gzip" | "identity";
  readonly chunks: AsyncIterable<Uint8Array>;
  /** The attributes of `cloudevent-data`; `NO_ATTRIBUTES` for every other format. */
  readonly attributes: HeaderAttributes;
  readonly contract: Contract;
  /** The most bytes that it may have once it is inflated. */
  readonly maxBytes: number;
  /** Told how many bytes of the body are held, whenever that grows; may throw. */
  readonly hold?: (bytes: number) => void;
  /** Told how many bytes of a compressed body are inflated, whenever that grows. */
  readonly onInflated?: (bytes: number) => void;
}

/**
 * Reads a body. Only NDJSON is read as it arrives: the bytes of every other format are kept until its end is known to be
 * well formed. Throws `MalformedBody` and `InflatedTooLarge`, maybe after some of the batches.
 */
export async function* bodyBatches(body: EncodedBody): AsyncGenerator<EventBatch> {
  const { contract, maxBytes } = body;
  const { hold: holdAll = () => {}, onInflated = () => {} } = body;
  const isGzip = body.encoding === "gzip";
  let sent = 0;
  // What is compressed is kept for the dead letter of a body that does not inflate.
  const onSent = (bytes: number) => {
    sent = bytes;
    holdAll(sent);
  };
  const chunks = isGzip ? counted(gunzip(counted(body.chunks, onSent), maxBytes), onInflated) : body.chunks;
  const hold = (bytes: number) => holdAll(sent + bytes);
  if (body.format === "ndjson") {
    yield* ndjsonBatches(chunks, hold);
    return;
  }
  if (body.format === "beacon") {
    const beacon = await openBeacon(chunks);
    if (beacon.isArray) yield* jsonBatches(await collect(beacon.chunks, hold));
    else yield* ndjsonBatches(beacon.chunks, hold);
    return;
  }
  const bytes = await collect(chunks, hold);
  switch (body.format) {
    case "json":
      yield* jsonBatches(bytes);
      return;
    case "cloudevent":
    case "cloudevent-batch": {
      if (bytes.byteLength > 0 && isArrayDocument(bytes) !== (body.format === "cloudevent-batch"))
        throw new MalformedBody(WRONG_TYPE, bytes, "text");
      const mapping = mappingOf(contract);
      for (const batch of jsonBatches(bytes)) yield mapCloudEvents(batch, mapping);
      return;
    }
    case "cloudevent-data": {
      const { attributes, fault: unreadable } = body.attributes;
      const fault = unreadable ?? attributesFault(attributes);
      if (fault !== null) throw new MalformedBody(fault.detail, bytes, "text");
      for (const batch of valueBatch(bytes)) yield mapCloudEventData(batch, attributes, mappingOf(contract));
      return;
    }
    case "avro-container":
      if (bytes.byteLength > 0) yield* containerBatches(bytes, { contract, maxBytes, hold });
      return;
    case "avro-wire":
      yield* wireFormatBatches(bytes, contract);
      return;
  }
}

const WRONG_TYPE =
  "application/cloudevents+json is one CloudEvent (an object), application/cloudevents-batch+json an array of them";

async function collect(chunks: AsyncIterable<Uint8Array>, hold: (bytes: number) => void): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    length += chunk.byteLength;
    try {
      // Twice, while the parts and what they are joined to stand side by side.
      hold(length * 2);
    } catch (error) {
      // Before the rest of the body is read and thrown away, which may take long.
      for (const part of parts.splice(0)) free(part);
      throw error;
    }
  }
  const last = parts.pop();
  const bytes = last === undefined ? new Uint8Array(0) : joined(parts, last);
  hold(length);
  if (last !== undefined && bytes !== last) for (const part of [...parts, last]) free(part);
  return bytes;
}

/** Gives a chunk's memory back now: V8 lets ArrayBuffers of tens of megabytes gather before it collects them. One that shares its memory is left. */
function free({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    onBytes(bytes);
    yield chunk;
  }
}
