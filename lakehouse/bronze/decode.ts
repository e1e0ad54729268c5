/** Frames of a topic to one batch of bronze rows, in the order they were appended. */
import type { Contract } from "../../contracts/contract.ts";
import { codecById, envelopeSchema } from "../../schemas/codecs.ts";
import { type Frame, replaysOf } from "../../schemas/packed-block.ts";
import { dayOf } from "../../schemas/time.ts";
import { type ColumnBuilder, createColumnBuilder } from "../columns/builder.ts";
import type { Batch, Field } from "../columns/column.ts";
import { recordWalk, type Walk } from "./avro-columns.ts";
import { ByteReader } from "./byte-reader.ts";
import { bronzeFields, eventFields } from "./table.ts";

/** Reads the events of all frames. Throws when bytes are no events of the frame's schema: they were checked at admission, so that is a fault of the system. */
export function decodeFrames(contract: Contract, frames: Iterable<Frame>): Batch {
  const rows = new BronzeRows(contract);
  for (const frame of frames) rows.append(frame);
  return rows.finish();
}

class BronzeRows {
  readonly #contract: Contract;
  readonly #fields: readonly Field[];
  readonly #builders = new Map<string, ColumnBuilder>();
  readonly #walks = new Map<number, Walk>();

  constructor(contract: Contract) {
    this.#contract = contract;
    this.#fields = bronzeFields(contract);
    for (const field of this.#fields) this.#builders.set(field.name, createColumnBuilder(field.type));
  }

  append(frame: Frame): void {
    const { header, slice } = frame;
    const walk = this.#walkOf(header.schema_id);
    const message = this.#bytes("_message");
    const producer = this.#bytes("_producer");
    const schema = this.#int32("_schema");
    const received = this.#int64("_received");
    const replayOf = this.#bytes("_replay_of");
    const replays = replaysOf(header, slice);
    const reader = new ByteReader(frame.events);
    let count = 0;
    while (!reader.done) {
      walk(reader);
      message.pushString(header.message_id);
      producer.pushString(header.producer);
      schema.push(header.schema_id);
      received.pushNumber(header.received);
      const origin = replays?.[count];
      if (origin === undefined) replayOf.pushNull();
      else replayOf.pushString(origin);
      count++;
    }
    if (count !== slice.count) {
      throw new Error(
        `message ${header.message_id}: slice of shard ${slice.shard} says ${slice.count} events, holds ${count}`,
      );
    }
  }

  finish(): Batch {
    const { partition, eventTime } = this.#contract;
    const timeColumn = partition.source === "event" ? eventTime : "_received";
    const finished = new Map([...this.#builders].map(([name, builder]) => [name, builder.finish()]));
    const times = finished.get(timeColumn);
    if (times?.kind !== "int64") throw new TypeError(`column ${timeColumn} is no timestamp`);
    finished.set(partition.column, {
      kind: "int32",
      type: { kind: "date" },
      length: times.length,
      nulls: undefined,
      values: Int32Array.from(times.values, (micros) => dayOf(Number(micros))),
    });
    const columns = this.#fields.map((field) => {
      const column = finished.get(field.name);
      if (column === undefined) throw new Error(`bronze has no column ${field.name}`);
      return column;
    });
    return { fields: this.#fields, columns, length: times.length };
  }

  #walkOf(schemaId: number): Walk {
    const known = this.#walks.get(schemaId);
    if (known !== undefined) return known;
    const codec = codecById(schemaId);
    if (codec === undefined) throw new Error(`schema ${schemaId} is not compiled into this deploy`);
    const fields = eventFields(this.#contract);
    const columns = new Map(fields.map((field) => [field.name, this.#builder(field.name)]));
    const event = recordWalk(codec.schema, columns, fields);
    const residue = new Map([
      ["index", this.#builder("_event")],
      ["extra", this.#builder("_extra")],
      ["lexical", this.#builder("_lexical")],
    ]);
    const envelope = envelopeSchema(codec.schema);
    // The envelope's last field is the event itself: its own walker takes over there.
    const head = recordWalk(
      { ...envelope, fields: envelope.fields.filter((field) => field.name !== "event") },
      residue,
    );
    const walk: Walk = (reader) => {
      head(reader);
      event(reader);
    };
    this.#walks.set(schemaId, walk);
    return walk;
  }

  #builder(name: string): ColumnBuilder {
    const builder = this.#builders.get(name);
    if (builder === undefined) throw new Error(`bronze has no column ${name}`);
    return builder;
  }
  #bytes(name: string) {
    const builder = this.#builder(name);
    if (builder.kind !== "bytes") throw new TypeError(`column ${name} is ${builder.kind}, not bytes`);
    return builder;
  }
  #int32(name: string) {
    const builder = this.#builder(name);
    if (builder.kind !== "int32") throw new TypeError(`column ${name} is ${builder.kind}, not int32`);
    return builder;
  }
  #int64(name: string) {
    const builder = this.#builder(name);
    if (builder.kind !== "int64") throw new TypeError(`column ${name} is ${builder.kind}, not int64`);
    return builder;
  }
}
