/** The first pass over a flush: its digest, and how many rows of which date lie where. No column is built. */
import { createHash } from "node:crypto";
import type { Contract } from "../../contracts/contract.ts";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { codecById, envelopeSchema } from "../../schemas/codecs.ts";
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
import { dayOf } from "../../schemas/time.ts";
import { skipWalk, type Walk } from "./avro-skip.ts";
import { ByteReader } from "./byte-reader.ts";
import { type BlockSource, RowRuns } from "./row-runs.ts";

/** What a flush holds of one date. Times are microseconds since the epoch. */
export interface DayTotals {
  readonly rows: number;
  /** Of Avro. */
  readonly bytes: number;
  readonly minReceived: number;
  readonly maxReceived: number;
}

export interface FlushScan {
  readonly runs: RowRuns;
  /** By day since the epoch. */
  readonly days: ReadonlyMap<number, DayTotals>;
  /** SHA-256 over the frozen frames, message ids included, in hex. */
  readonly input: string;
}

/** Reads every block once. Throws when bytes are no events of their frame's schema: they were checked at admission, so that is a fault of the system. */
export function scanBlocks(contract: Contract, blocks: BlockSource): FlushScan {
  const hash = createHash("sha256");
  const runs = new RowRuns();
  const days = new Map<number, DayTotals>();
  const times = new Map<number, TimeReader>();
  for (let block = 0; block < blocks.count; block++) {
    const bytes = blocks.read(block);
    hash.update(bytes);
    let number = 0;
    for (const frame of readFrames(bytes)) {
      const id = frame.header.schema_id;
      const time = times.get(id) ?? timeReader(contract, id);
      times.set(id, time);
      for (const run of runsOf(contract, frame, time)) {
        runs.add(block, number, run.start, run.end, run.rows, run.day);
        days.set(run.day, added(days.get(run.day), run, frame.header.received));
      }
      number++;
    }
  }
  return { runs, days, input: hash.digest("hex") };
}

interface Run {
  readonly start: number;
  readonly end: number;
  readonly rows: number;
  readonly day: number;
}

/** A time of reception is the frame's: then its events need not be walked. */
function* runsOf(contract: Contract, frame: Frame, time: TimeReader): Generator<Run> {
  const { header, slice, events } = frame;
  if (contract.partition.source === "received") {
    if (slice.count > 0) yield { start: 0, end: events.byteLength, rows: slice.count, day: dayOf(header.received) };
    return;
  }
  const reader = new ByteReader(events);
  let start = 0;
  let rows = 0;
  let day = 0;
  let count = 0;
  while (!reader.done) {
    const at = reader.at;
    const next = dayOf(time(reader));
    if (next !== day && rows > 0) {
      yield { start, end: at, rows, day };
      start = at;
      rows = 0;
    }
    day = next;
    rows++;
    count++;
  }
  if (rows > 0) yield { start, end: reader.at, rows, day };
  if (count !== slice.count) {
    throw new Error(
      `message ${header.message_id}: slice of shard ${slice.shard} says ${slice.count} events, holds ${count}`,
    );
  }
}

function added(totals: DayTotals | undefined, run: Run, received: number): DayTotals {
  const bytes = run.end - run.start;
  if (totals === undefined) return { rows: run.rows, bytes, minReceived: received, maxReceived: received };
  return {
    rows: totals.rows + run.rows,
    bytes: totals.bytes + bytes,
    minReceived: Math.min(totals.minReceived, received),
    maxReceived: Math.max(totals.maxReceived, received),
  };
}

/** Moves past one envelope and gives its event time. */
type TimeReader = (reader: ByteReader) => number;

function timeReader(contract: Contract, schemaId: number): TimeReader {
  const codec = codecById(schemaId);
  if (codec === undefined) throw new Error(`schema ${schemaId} is not compiled into this deploy`);
  const { fields } = codec.schema;
  const position = fields.findIndex((field) => field.name === contract.eventTime);
  const time = fields[position];
  if (time === undefined || Array.isArray(time.type)) {
    throw new Error(`schema ${schemaId} has no required field ${contract.eventTime}`);
  }
  const envelope = envelopeSchema(codec.schema).fields.filter(({ name }) => name !== "event");
  const before = skipFields([...envelope, ...fields.slice(0, position)]);
  const after = skipFields(fields.slice(position + 1));
  return (reader) => {
    for (const skip of before) skip(reader);
    const micros = reader.readLong();
    for (const skip of after) skip(reader);
    return micros;
  };
}

function skipFields(fields: AvroRecord["fields"]): Walk[] {
  return fields.map((field) => skipWalk(field.type));
}
