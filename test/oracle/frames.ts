/** Messages and frames of valid events, made the way the gateway makes them, for tests of what comes after it. */
import { contractOf, currentSchema } from "../../contracts/registry.ts";
import { shardOf } from "../../contracts/shards.ts";
import type { BlockSource } from "../../lakehouse/bronze/row-runs.ts";
import { codecById, type Envelope } from "../../schemas/codecs.ts";
import { decodeMessage, encodeFrame, encodeMessage, type Frame, readFrames } from "../../schemas/packed-block.ts";

export interface MessageOptions {
  readonly topic: string;
  readonly messageId: string;
  readonly received: number;
  /** The gateway's running number; 1 if not given. */
  readonly sequence?: number;
  /** The current one if not given. */
  readonly schemaVersion?: number;
  readonly events: readonly Omit<Envelope, "index">[];
  readonly tally?: Readonly<Record<string, number>>;
}

/** One message with a slice per shard. */
export function makeMessage(options: MessageOptions): Uint8Array {
  const contract = contractOf(options.topic);
  if (contract === undefined) throw new Error(`no contract for ${options.topic}`);
  const schema = contract.schemas.find(({ version }) => version === options.schemaVersion) ?? currentSchema(contract);
  const codec = codecById(schema.id);
  if (codec === undefined) throw new Error("no codec");
  const shards = new Map<number, { bytes: Buffer[]; count: number }>();
  options.events.forEach((event, index) => {
    const record = event.event;
    const key = contract.shardKey.map((name) =>
      typeof record === "object" && record !== null ? Reflect.get(record, name) : undefined,
    );
    const shard = shardOf(key, contract.shards);
    const slice = shards.get(shard) ?? { bytes: [], count: 0 };
    slice.bytes.push(codec.envelope.toBuffer({ index, ...event }));
    slice.count++;
    shards.set(shard, slice);
  });
  let offset = 0;
  const slices = [...shards].map(([shard, { bytes, count }]) => {
    const length = bytes.reduce((sum, part) => sum + part.byteLength, 0);
    const slice = { shard, of: contract.shards, offset, length, count, tally: options.tally ?? {} };
    offset += length;
    return slice;
  });
  return encodeMessage(
    {
      message_id: options.messageId,
      topic: options.topic,
      schema_id: codec.id,
      contract_version: contract.version,
      producer: "test",
      request_id: "request",
      received: options.received,
      gateway: "test",
      sequence: options.sequence ?? 1,
      count: options.events.length,
      slices,
    },
    [...shards.values()].map(({ bytes }) => Buffer.concat(bytes)),
  );
}

/** The frames of a message, all shards. */
export function framesOf(message: Uint8Array): Frame[] {
  const decoded = decodeMessage(message);
  return decoded.header.slices.flatMap((_, number) => [...readFrames(encodeFrame(decoded, number))]);
}

/** Frames as a buffer's frozen blocks, two to a block. */
export function blocksOf(frames: readonly Frame[]): BlockSource {
  return {
    count: Math.ceil(frames.length / 2),
    read: (block) => Buffer.concat(frames.slice(block * 2, block * 2 + 2).map((frame) => frame.bytes)),
  };
}

/** The `n`th UUIDv7 of a millisecond (RFC 9562, section 5.7), the same every time. */
export function uuidAt(ms: number, n: number): string {
  const time = ms.toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** The frames of messages for one shard, as one append carries them. */
export function framesForShard(messages: readonly Uint8Array[], shard: number): Uint8Array {
  return Buffer.concat(
    messages.flatMap((message) => {
      const decoded = decodeMessage(message);
      return decoded.header.slices.flatMap((slice, number) =>
        slice.shard === shard ? [encodeFrame(decoded, number)] : [],
      );
    }),
  );
}
