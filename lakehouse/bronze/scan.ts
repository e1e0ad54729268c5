/** The first pass over a flush: its digest, and how many rows of which date lie where. No column is built. */
import { createHash } from "node:crypto";
import { ByteReader } from "../../schemas/byte-reader.ts";
import { codecById, envelopeSchema } from "../../schemas/codecs.ts";
import { keepShape } from "../../schemas/kept-shape.ts";
import { type Frame, readFrames } from "../../schemas/packed-block.ts";
import { dayOf } from "../../schemas/time.ts";
import { skipWalk } from "./avro-skip.ts";
import type { DateRule } from "./layout.ts";
import { type BlockSource, RowRuns } from "./row-runs.ts";
import { UnknownSchemaError } from "./unknown-schema.ts";

/** What a flush holds of one date. Times are microseconds since the epoch. */
export interface DayTotals {
  readonly rows: number;
  /** Of Avro. */
  readonly bytes: number;
  readonly minReceived: number;
  readonly maxReceived: number;
  /** Rows by hour of reception, in hours since the epoch. */
  readonly hours: ReadonlyMap<number, number>;
}

export interface FlushScan {
  readonly runs: RowRuns;
  /** By day since the epoch. */
  readonly days: ReadonlyMap<number, DayTotals>;
  /** SHA-256 over the frozen frames, message ids included, in hex. */
  readonly input: string;
}

/**
 * Reads every block once; `rule` (a contract has one) tells the dates. Throws `UnknownSchemaError`, and others when bytes are no
 * events of their frame's schema or their dates are none (`slice-fault.ts` then says which).
 */
export function scanBlocks(rule: DateRule, blocks: BlockSource): FlushScan {
  const steps = scanSteps(rule, blocks);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** As `scanBlocks`, a block a step. */
export function* scanSteps(rule: DateRule, blocks: BlockSource): Generator<void, FlushScan, undefined> {
  const hash = createHash("sha256");
  const runs = new RowRuns();
  const days = new Map<number, DayCounter>();
  const times = new Map<number, TimeReader>();
  for (let block = 0; block < blocks.count; block++) {
    const bytes = blocks.read(block);
    hash.update(bytes);
    let number = 0;
    for (const frame of readFrames(bytes)) {
      const { schema_id: id, received } = frame.header;
      const time = times.get(id) ?? timeReader(rule, id);
      times.set(id, time);
      requireDate(dayOf(received));
      for (const run of runsOf(rule, frame, time)) {
        requireDate(run.day);
        runs.add(block, number, run.start, run.end, run.rows, run.day);
        const day = days.get(run.day) ?? new DayCounter();
        days.set(run.day, day);
        day.add(run, received);
      }
      number++;
    }
    blocks.release?.(bytes);
    yield;
  }
  return { runs, days, input: hash.digest("hex") };
}

/** Years 1 to 9999: what has a four-digit year in a path. */
const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;

function requireDate(day: number): void {
  if (!(day >= FIRST_DAY && day <= LAST_DAY)) throw new RangeError("a day is no date");
}

interface Run {
  readonly start: number;
  readonly end: number;
  readonly rows: number;
  readonly day: number;
}

/** A time of reception is the frame's: then its events need not be walked. */
function* runsOf(rule: DateRule, frame: Frame, time: TimeReader): Generator<Run> {
  const { header, slice, events } = frame;
  if (rule.partition.source === "received") {
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

const HOUR_MICROS = 3_600_000_000;

class DayCounter implements DayTotals {
  rows = 0;
  bytes = 0;
  minReceived = Number.POSITIVE_INFINITY;
  maxReceived = Number.NEGATIVE_INFINITY;
  readonly hours = new Map<number, number>();

  add({ start, end, rows }: Run, received: number): void {
    this.rows += rows;
    this.bytes += end - start;
    this.minReceived = Math.min(this.minReceived, received);
    this.maxReceived = Math.max(this.maxReceived, received);
    const hour = Math.floor(received / HOUR_MICROS);
    this.hours.set(hour, (this.hours.get(hour) ?? 0) + rows);
  }
}

keepShape(new DayCounter());

/** Moves past one envelope and gives its event time. */
type TimeReader = (reader: ByteReader) => number;

function timeReader(rule: DateRule, schemaId: number): TimeReader {
  const codec = codecById(schemaId);
  if (codec === undefined) throw new UnknownSchemaError(`schema ${schemaId} is not compiled into this deploy`);
  const { fields } = codec.schema;
  const position = fields.findIndex((field) => field.name === rule.eventTime);
  const time = fields[position];
  if (time === undefined || Array.isArray(time.type)) {
    throw new UnknownSchemaError(`schema ${schemaId} has no required field ${rule.eventTime}`);
  }
  const envelope = envelopeSchema(codec.schema).fields.filter(({ name }) => name !== "event");
  const before = skipWalk(...[...envelope, ...fields.slice(0, position)].map(({ type }) => type));
  const after = skipWalk(...fields.slice(position + 1).map(({ type }) => type));
  return (reader) => {
    before(reader);
    const micros = reader.readLong();
    after(reader);
    return micros;
  };
}
