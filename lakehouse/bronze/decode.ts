/** The second pass over a flush: the rows of some dates as batches of bronze, in the order they were appended. */
import type { Contract } from "../../contracts/contract.ts";
import { ByteReader } from "../../schemas/byte-reader.ts";
import { codecById, envelopeSchema } from "../../schemas/codecs.ts";
import { keepShape } from "../../schemas/kept-shape.ts";
import { type Frame, readFrames, replaysOf } from "../../schemas/packed-block.ts";
import { type ColumnBuilder, createColumnBuilder, finishBatch } from "../engine/columns/builder.ts";
import type { Batch, Field } from "../engine/columns/column.ts";
import { recordWalk } from "./avro-columns.ts";
import type { Walk } from "./avro-skip.ts";
import type { BlockSource, RowRun, RowRuns } from "./row-runs.ts";
import { eventFields, partitionField, tableFields } from "./table.ts";
import { UnknownSchemaError } from "./unknown-schema.ts";

const encoder = new TextEncoder();

/** How many bytes of Avro are decoded between two looks at the size of the columns. */
const LOOK_BYTES = 64 * 1024;

/**
 * Decodes the rows of `days` into batches of about `batchBytes` bytes of columns. Throws `UnknownSchemaError`, and others when
 * bytes are no events of their frame's schema (`slice-fault.ts` then says which).
 */
export function* decodeRuns(
  contract: Contract,
  blocks: BlockSource,
  runs: RowRuns,
  days: ReadonlySet<number>,
  batchBytes: number,
): Generator<Batch, void, undefined> {
  const rows = new BronzeRows(eventFields(contract), partitionField(contract));
  let unseen = 0;
  for (let block = 0; block < blocks.count; block++) {
    let bytes: Uint8Array | undefined;
    let frames: Generator<Frame> | undefined;
    let frame: Frame | undefined;
    let number = -1;
    for (const run of runs.ofBlock(block, days)) {
      bytes ??= blocks.read(block);
      frames ??= readFrames(bytes);
      for (; number < run.frame; number++) frame = frames.next().value ?? undefined;
      if (frame === undefined) throw new Error(`block ${block} has no frame ${run.frame}`);
      rows.append(frame, run);
      unseen += run.end - run.start;
      if (unseen < LOOK_BYTES) continue;
      unseen = 0;
      if (rows.byteLength >= batchBytes) yield rows.finish();
    }
    if (bytes !== undefined) blocks.release?.(bytes);
  }
  if (rows.length > 0) yield rows.finish();
}

class BronzeRows {
  length = 0;
  readonly #events: readonly Field[];
  readonly #partition: string;
  readonly #fields: readonly Field[];
  readonly #builders = new Map<string, ColumnBuilder>();
  readonly #walks = new Map<number, Walk>();

  constructor(events: readonly Field[], partition: Field) {
    this.#events = events;
    this.#partition = partition.name;
    this.#fields = tableFields(events, partition);
    for (const field of this.#fields) this.#builders.set(field.name, createColumnBuilder(field.type));
  }

  get byteLength(): number {
    let total = 0;
    for (const builder of this.#builders.values()) total += builder.byteLength;
    return total;
  }

  append({ header, slice, events }: Frame, run: RowRun): void {
    const walk = this.#walkOf(header.schema_id);
    const reader = new ByteReader(events);
    reader.at = run.start;
    let count = 0;
    while (reader.at < run.end) {
      walk(reader);
      count++;
    }
    if (reader.at !== run.end || count !== run.rows) {
      throw new Error(
        `message ${header.message_id}: slice of shard ${slice.shard} says ${run.rows} events, holds ${count}`,
      );
    }
    // What the whole run has in common is written once, not row by row.
    this.#builder("_message", "bytes").pushRepeated(encoder.encode(header.message_id), count);
    this.#builder("_producer", "bytes").pushRepeated(encoder.encode(header.producer), count);
    this.#builder("_schema", "int32").pushRepeated(header.schema_id, count);
    this.#builder("_received", "int64").pushNumberRepeated(header.received, count);
    this.#builder(this.#partition, "int32").pushRepeated(run.day, count);
    const replays = replaysOf(header, slice)?.slice(run.first, run.first + count);
    const replayOf = this.#builder("_replay_of", "bytes");
    if (replays === undefined) replayOf.pushNulls(count);
    else for (const origin of replays) replayOf.pushString(origin);
    this.length += count;
  }

  finish(): Batch {
    this.length = 0;
    return finishBatch(this.#fields, [...this.#builders.values()]);
  }

  #walkOf(schemaId: number): Walk {
    const known = this.#walks.get(schemaId);
    if (known !== undefined) return known;
    const codec = codecById(schemaId);
    if (codec === undefined) throw new UnknownSchemaError(`schema ${schemaId} is not compiled into this deploy`);
    const fields = this.#events;
    const columns = new Map(fields.map((field) => [field.name, this.#column(field.name)]));
    const event = recordWalk(codec.schema, columns, fields);
    const residue = new Map([
      ["index", this.#column("_event")],
      ["extra", this.#column("_extra")],
      ["lexical", this.#column("_lexical")],
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

  #column(name: string): ColumnBuilder {
    const builder = this.#builders.get(name);
    if (builder === undefined) throw new Error(`bronze has no column ${name}`);
    return builder;
  }

  #builder<K extends ColumnBuilder["kind"]>(name: string, kind: K): Extract<ColumnBuilder, { readonly kind: K }> {
    const builder = this.#column(name);
    if (!hasKind(builder, kind)) throw new TypeError(`column ${name} is ${builder.kind}, not ${kind}`);
    return builder;
  }
}

keepShape(new BronzeRows([], { name: "", type: { kind: "date" }, nullable: false }));

function hasKind<K extends ColumnBuilder["kind"]>(
  builder: ColumnBuilder,
  kind: K,
): builder is Extract<ColumnBuilder, { readonly kind: K }> {
  return builder.kind === kind;
}
