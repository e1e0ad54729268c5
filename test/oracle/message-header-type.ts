/** The Avro of a message's header (`schemas/message-header.ts`), by a writer that is not ours. */
import avro from "avsc";
import type { MessageHeader } from "../../schemas/packed-block.ts";

const slice: avro.Schema = {
  type: "record",
  name: "Slice",
  fields: [
    { name: "shard", type: "int" },
    { name: "of", type: "int" },
    { name: "offset", type: "int" },
    { name: "length", type: "int" },
    { name: "count", type: "int" },
    { name: "tally", type: { type: "map", values: "int" } },
  ],
};

const headerType = avro.Type.forSchema({
  type: "record",
  name: "MessageHeader",
  namespace: "sluice",
  fields: [
    { name: "message_id", type: "string" },
    { name: "topic", type: "string" },
    { name: "schema_id", type: "int" },
    { name: "contract_version", type: "string" },
    { name: "producer", type: "string" },
    { name: "request_id", type: "string" },
    { name: "received", type: "long" },
    { name: "gateway", type: "string" },
    { name: "sequence", type: "long" },
    { name: "count", type: "int" },
    { name: "slices", type: { type: "array", items: slice } },
  ],
});

const range = [
  { name: "first", type: "long" },
  { name: "last", type: "long" },
];
const unsentType = avro.Type.forSchema({ type: "array", items: { type: "record", name: "Unsent", fields: range } });
const replayType = avro.Type.forSchema({ type: "array", items: "string" });

/** A header as avsc writes it. */
export function headerByAvsc(header: MessageHeader): Buffer {
  const { unsent = [], replay_of } = header;
  const parts = [headerType.toBuffer(header)];
  if (unsent.length > 0 || replay_of !== undefined) {
    parts.push(unsentType.toBuffer(unsent.map(([first, last]) => ({ first, last }))));
  }
  if (replay_of !== undefined) parts.push(replayType.toBuffer(replay_of));
  return Buffer.concat(parts);
}
