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
import { joined } from "./line-segments.ts";
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
}

/**
 * Reads a body. Only NDJSON is read as it arrives: the bytes of every other format are kept until its end is known to be
 * well formed. Throws `MalformedBody` and `InflatedTooLarge`, maybe after some of the batches.
 */
export async function* bodyBatches(body: EncodedBody): AsyncGenerator<EventBatch> {
  const { contract, maxBytes } = body;
  const chunks = body.encoding === "gzip" ? gunzip(body.chunks, maxBytes) : body.chunks;
  if (body.format === "ndjson") {
    yield* ndjsonBatches(chunks);
    return;
  }
  if (body.format === "beacon") {
    const beacon = await openBeacon(chunks);
    if (beacon.isArray) yield* jsonBatches(await collect(beacon.chunks));
    else yield* ndjsonBatches(beacon.chunks);
    return;
  }
  const bytes = await collect(chunks);
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
      if (bytes.byteLength > 0) yield* containerBatches(bytes, { contract, maxBytes });
      return;
    case "avro-wire":
      yield* wireFormatBatches(bytes, contract);
      return;
  }
}

const WRONG_TYPE =
  "application/cloudevents+json is one CloudEvent (an object), application/cloudevents-batch+json an array of them";

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  const last = parts.pop();
  return last === undefined ? new Uint8Array(0) : joined(parts, last);
}
