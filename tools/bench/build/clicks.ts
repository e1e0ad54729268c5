/** Rows of bronze of the topic clickstream, made column by column: simulating them event by event would take longer than to build them. */
import { contractOf } from "../../../contracts/registry.ts";
import { bronzeLayout, partitionKey } from "../../../lakehouse/bronze/table.ts";
import type { Batch, BytesColumn, Column, Field } from "../../../lakehouse/engine/columns/column.ts";
import { mixed } from "../../../lakehouse/engine/columns/hash.ts";
import type { WasmPermit } from "../../../lakehouse/engine/parquet/wasm.ts";
import { writeParquet } from "../../../lakehouse/engine/parquet/writer.ts";
import { FUNNEL } from "../../../producers/simulators/clickstream.ts";
import { hourText } from "../../../schemas/hours.ts";
import { formatDate, formatTimestamp } from "../../../schemas/time.ts";
import type { FlushedFile } from "./bronze.ts";

export const CLICKS = "clickstream";

export interface Clicks {
  /** Days since the epoch: all events are of it. */
  readonly day: number;
  readonly rows: number;
  /** How many values `session_id` has. */
  readonly sessions: number;
  /** One row of so many repeats an earlier one, of the last 500 or of any; none: no row does. */
  readonly copyEvery?: number;
}

/** A flush: rows [first, first + rows) of the day, by the shard that wrote them. */
export interface ClickFlush {
  readonly first: number;
  readonly rows: number;
  readonly shard: number;
  readonly shardOf: number;
  /** Grows within the shard and the day. */
  readonly seq: number;
}

const BATCH_ROWS = 8_192;
const REQUEST_EVENTS = 500;
const RETRY_REACH = 500;
const DAY_MICROS = 86_400_000_000;
const HOUR_MICROS = 3_600_000_000;
const NEVER = 0xffff_ffff;
const encode = (texts: readonly string[]) => texts.map((text) => new TextEncoder().encode(text));

const TYPES = encode(Object.keys(FUNNEL));
const DEVICES = encode(["ios", "android", "desktop", "tablet"]);
const CITIES = encode(["Berlin", "Hamburg", "München", "Köln", "Frankfurt am Main", "Oslo", "Utrecht", "Paris"]);
const TERMS = encode(["pizza", "vegan", "sushi", "ramen", "burger", "near me", "döner", "ラーメン", "gluten free"]);
const PAGES = encode(Array.from({ length: 2_000 }, (_, n) => `/restaurants/restaurant-${n % 97}/items/dish-${n}`));
const USERS = encode(Array.from({ length: 50_000 }, (_, n) => `cus_${String(n).padStart(8, "0")}`));
const PRODUCER = encode(["bench"]);

/** The file that a flush writes. */
export async function clickFile(permit: WasmPermit, clicks: Clicks, flush: ClickFlush): Promise<FlushedFile> {
  const contract = contractOf(CLICKS);
  const schema = contract?.schemas.at(-1);
  if (contract === undefined || schema === undefined) throw new Error(`topic ${CLICKS} is not compiled`);
  const layout = bronzeLayout(contract);
  const batches = Array.from({ length: Math.ceil(flush.rows / BATCH_ROWS) }, (_, n) => {
    const first = flush.first + n * BATCH_ROWS;
    return new Rows(clicks, first, Math.min(BATCH_ROWS, flush.first + flush.rows - first), schema.id);
  });
  const bytes = await writeParquet(permit, { ...layout, batches: batchesOf(batches, layout.fields) });
  const { shard, shardOf, seq, rows, first } = flush;
  const name = { topic: CLICKS, shard, incarnation: formatDate(clicks.day), seq };
  const date = formatDate(clicks.day);
  const received = [receivedOf(clicks, first), receivedOf(clicks, first + rows - 1)] as const;
  return {
    bytes,
    file: {
      ...name,
      file: partitionKey(contract, clicks.day, name),
      shardOf,
      rows,
      bytes: bytes.byteLength,
      minReceived: formatTimestamp(received[0]),
      maxReceived: formatTimestamp(received[1]),
      dates: [{ date, firstRow: 0, rows }],
      hours: [{ date, hour: hourText(Math.floor(received[0] / HOUR_MICROS)), rows }],
    },
  };
}

function* batchesOf(batches: readonly Rows[], fields: readonly Field[]): Generator<Batch> {
  for (const rows of batches) {
    const columns = fields.map((field) => rows.column(field));
    yield { fields, columns, length: rows.length };
  }
}

function receivedOf({ day, rows }: Clicks, row: number): number {
  return day * DAY_MICROS + Math.floor((row / rows) * DAY_MICROS);
}

/** A whole number below `below` that follows from another one, and from which of its uses it is. */
function pick(row: number, use: number, below: number): number {
  return (mixed(mixed(row + 1) ^ Math.imul(use, 0x9e3779b1)) >>> 0) % below;
}

/** The row that a row repeats; itself if it is no copy. */
function sourceOf({ copyEvery }: Clicks, row: number): number {
  let source = row;
  while (copyEvery !== undefined && source > 0 && pick(source, 1, copyEvery) === 0) {
    const near = pick(source, 2, 2) === 0;
    source = near ? source - 1 - pick(source, 3, Math.min(source, RETRY_REACH)) : pick(source, 3, source);
  }
  return source;
}

class Rows {
  readonly length: number;
  readonly #clicks: Clicks;
  readonly #first: number;
  readonly #sources: Float64Array;
  readonly #schema: number;

  constructor(clicks: Clicks, first: number, length: number, schema: number) {
    this.#clicks = clicks;
    this.#first = first;
    this.length = length;
    this.#schema = schema;
    this.#sources = Float64Array.from({ length }, (_, row) => sourceOf(clicks, first + row));
  }

  column(field: Field): Column {
    const { day, sessions } = this.#clicks;
    switch (field.name) {
      case "event_id":
        return this.#uuids(field, (source) => source, day);
      case "session_id":
        return this.#uuids(field, (source) => pick(source, 4, sessions), ~day);
      case "user_id":
        return this.#texts(field, USERS, 5, 5);
      case "event_timestamp":
        return this.#wholes(field, (source) => receivedOf(this.#clicks, source));
      case "event_type":
        return this.#texts(field, TYPES, 6);
      case "page":
        return this.#texts(field, PAGES, 7);
      case "device":
        // A session has one device.
        return this.#texts(field, DEVICES, 8, NEVER, (source) => pick(source, 4, sessions));
      case "city":
        return this.#texts(field, CITIES, 9, 11);
      case "product_id":
        return this.#texts(field, USERS, 10, 2);
      case "search_term":
        return this.#texts(field, TERMS, 11, 1);
      case "duration_ms":
        return this.#wholes(field, (source) => pick(source, 12, 60_000), 8);
      case "scroll_depth":
        return this.#doubles(field);
      case "event_date":
        return this.#int32s(field, () => day);
      case "_message":
        return this.#uuids(field, (_, row) => Math.floor((this.#first + row) / REQUEST_EVENTS), 77);
      case "_event":
        return this.#int32s(field, (row) => (this.#first + row) % REQUEST_EVENTS);
      case "_producer":
        return this.#texts(field, PRODUCER, 13);
      case "_schema":
        return this.#int32s(field, () => this.#schema);
      case "_received":
        return this.#wholes(field, (_, row) => receivedOf(this.#clicks, this.#first + row));
      default:
        if (!field.nullable) throw new Error(`no values are made for ${field.name}`);
        return field.type.kind === "utf8" ? this.#texts(field, PRODUCER, 0, 0) : this.#int32s(field, () => 0, 0);
    }
  }

  /** A row is NULL in one of `nullEvery` + 1 cases; 0: always. */
  #isNull(source: number, use: number, nullEvery: number): boolean {
    return nullEvery !== NEVER && pick(source, use + 100, nullEvery + 1) === 0;
  }

  #texts(field: Field, from: readonly Uint8Array[], use: number, nullEvery = NEVER, of = (source: number) => source) {
    const chosen = Array.from(this.#sources, (source) => {
      // A use has its own values.
      return this.#isNull(source, use, nullEvery) ? undefined : from[pick(of(source), use, from.length)];
    });
    const offsets = new Int32Array(this.length + 1);
    for (const [row, text] of chosen.entries()) offsets[row + 1] = (offsets[row] ?? 0) + (text?.length ?? 0);
    const bytes = new Uint8Array(offsets[this.length] ?? 0);
    for (const [row, text] of chosen.entries()) if (text !== undefined) bytes.set(text, offsets[row]);
    const nulls = nullEvery === NEVER ? undefined : Uint8Array.from(chosen, (text) => (text === undefined ? 1 : 0));
    return { kind: "bytes", type: field.type, length: this.length, nulls, offsets, bytes } satisfies BytesColumn;
  }

  #uuids(field: Field, numberOf: (source: number, row: number) => number, salt: number): Column {
    const offsets = Int32Array.from({ length: this.length + 1 }, (_, row) => row * UUID_LENGTH);
    const bytes = new Uint8Array(this.length * UUID_LENGTH);
    for (const [row, source] of this.#sources.entries()) {
      const number = numberOf(source, row);
      let at = row * UUID_LENGTH;
      for (let word = 0, digit = 0; word < 4; word++) {
        const bits = mixed(mixed(number ^ salt) + Math.imul(word + 1, 0x9e3779b1) + number);
        for (let shift = 28; shift >= 0; shift -= 4, digit++) {
          if (digit === 8 || digit === 12 || digit === 16 || digit === 20) bytes[at++] = 0x2d;
          bytes[at++] = digit === 12 ? 0x34 : DIGITS.charCodeAt((bits >>> shift) & 15);
        }
      }
    }
    return { kind: "bytes", type: field.type, length: this.length, nulls: undefined, offsets, bytes };
  }

  #wholes(field: Field, valueAt: (source: number, row: number) => number, nullEvery = NEVER): Column {
    const { nulls, length } = this.#marks(nullEvery);
    const values = new BigInt64Array(length);
    for (const [row, source] of this.#sources.entries()) values[row] = BigInt(valueAt(source, row));
    return { kind: "int64", type: field.type, length, nulls, values };
  }

  #doubles(field: Field): Column {
    const { nulls, length } = this.#marks(2);
    const values = Float64Array.from(this.#sources, (source) => pick(source, 14, 101) / 100);
    return { kind: "float64", type: field.type, length, nulls, values };
  }

  #int32s(field: Field, valueAt: (row: number) => number, nullEvery = NEVER): Column {
    const { nulls, length } = this.#marks(nullEvery);
    const values = Int32Array.from({ length }, (_, row) => valueAt(row));
    return { kind: "int32", type: field.type, length, nulls, values };
  }

  #marks(nullEvery: number): { readonly nulls: Uint8Array | undefined; readonly length: number } {
    const { length } = this;
    if (nullEvery === NEVER) return { nulls: undefined, length };
    return { nulls: Uint8Array.from(this.#sources, (source) => Number(this.#isNull(source, 15, nullEvery))), length };
  }
}

const UUID_LENGTH = 36;
const DIGITS = "0123456789abcdef";
