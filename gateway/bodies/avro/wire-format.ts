/**
 * One event in Confluent's wire format: a zero byte, the schema's id as four bytes big-endian, the datum. The ids are those
 * of our releases, which the registry routes serve.
 */
import type { Contract } from "../../../contracts/contract.ts";
import { type EventBatch, malformed, unreadableBody } from "../event-batch.ts";
import { datumBatches } from "./datum-batches.ts";
import { releasedVersions, writerSchemaById } from "./writer-schemas.ts";

const MAGIC = 0;
const PREFIX_BYTES = 5;

/** Reads a message; an empty body has no event. */
export function* wireFormatBatches(body: Uint8Array, contract: Contract): Generator<EventBatch> {
  if (body.byteLength === 0) return;
  if (body.byteLength < PREFIX_BYTES || body[0] !== MAGIC) {
    const detail = "the body does not begin with a zero byte and four bytes of schema id (Confluent's wire format)";
    yield unreadableBody(body, "binary", malformed(detail));
    return;
  }
  const id = new DataView(body.buffer, body.byteOffset).getUint32(1);
  const schema = writerSchemaById(contract, id);
  if (schema === undefined) {
    const detail = `schema id ${id} is no released one of ${contract.topic}: expected one of the versions ${releasedVersions(contract)}`;
    yield unreadableBody(body, "binary", { error_type: "UNKNOWN_SCHEMA", detail });
    return;
  }
  yield* datumBatches(body.subarray(PREFIX_BYTES), 1, schema, (at) => (at === 0 ? 0 : PREFIX_BYTES + at));
}
