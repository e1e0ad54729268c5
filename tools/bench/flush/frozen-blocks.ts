/** The blocks that a buffer holds when it flushes: simulated events, admitted and packed as the gateway does it. */

import type { AdmittedEvent } from "../../../gateway/admit/admitter.ts";
import { admitterOf } from "../../../gateway/admit/topics.ts";
import { simulate } from "../../../producers/simulators/plan.ts";
import type { SimulatedTopic } from "../../../producers/simulators/topics.ts";
import { createEventBuffer } from "../../../schemas/event-buffer.ts";
import { packMessage, planMessages } from "../../../schemas/pack.ts";
import { decodeMessage, encodeFrame } from "../../../schemas/packed-block.ts";

/** Requests of a storm are small: their dates lie mixed in every block. */
const REQUEST_EVENTS = { ordinary: 500, storm: 40 };
/** As the buffer's store cuts its blob rows. */
const BLOCK_BYTES = 1_900_000;
const HEADER_TEXT_BYTES = 200;
const DAY_MS = 86_400_000;

export interface FlushSize {
  readonly bytes: number;
  readonly rows: number;
  /** 1: all events are of one date. Else requests come from so many dates in turns. */
  readonly dates: number;
  /** The share of events that repeat an earlier one; none if not given. */
  readonly copies?: number;
}

export interface FrozenBlocks {
  readonly blocks: readonly Uint8Array[];
  readonly rows: number;
  readonly bytes: number;
}

/** Frames of one shard until the bytes or rows are reached, received in the evening of `day` (milliseconds since the epoch, midnight). */
export function frozenBlocks(topic: SimulatedTopic, size: FlushSize, day: number): FrozenBlocks {
  const admitter = admitterOf(topic);
  if (admitter === undefined) throw new Error(`topic ${topic} is not compiled`);
  const requestEvents = size.dates === 1 ? REQUEST_EVENTS.ordinary : REQUEST_EVENTS.storm;
  const endMs = day + DAY_MS - 1;
  const lines = simulate({
    seed: 11,
    topics: [topic],
    events: size.rows,
    startMs: day,
    endMs,
    faultRate: 0,
    duplicateRate: size.copies ?? 0,
    lateRate: 0,
  })[Symbol.iterator]();
  const out = new Blocks();
  for (let request = 0, rows = 0; rows < size.rows && out.bytes < size.bytes; request++) {
    const shiftMs = (request % size.dates) * DAY_MS;
    const received = (endMs - shiftMs) * 1_000 + (request % 1_000);
    const output = createEventBuffer(200_000);
    const admitted: AdmittedEvent[] = [];
    for (; admitted.length < requestEvents && rows < size.rows; rows++) {
      const { value } = lines.next();
      if (value === undefined) break;
      const event = shifted(JSON.parse(value.line), shiftMs);
      const context = { received, suspectSurrogates: false, output, masker: null };
      const admission = admitter.admit(event, admitted.length, null, context);
      if (!admission.accepted) throw new Error(`a simulated event was refused: ${JSON.stringify(admission.errors)}`);
      admitted.push({ ...admission, shard: 0 });
    }
    for (const [schemaId, events] of Map.groupBy(admitted, (event) => event.schemaId)) {
      for (const plan of planMessages(events, HEADER_TEXT_BYTES)) {
        const id = `${String(out.messages).padStart(8, "0")}-0000-7000-8000-000000000000`;
        const header = {
          message_id: id,
          topic,
          schema_id: schemaId,
          contract_version: admitter.contract.version,
          producer: "bench",
          request_id: id,
          received,
          gateway: "bench",
          sequence: out.messages,
        };
        out.add(
          encodeFrame(decodeMessage(packMessage(plan, 1, header, (start, end) => output.slice(start, end))), 0),
          plan.length,
        );
      }
    }
  }
  return { blocks: out.finish(), rows: out.rows, bytes: out.bytes };
}

class Blocks {
  rows = 0;
  bytes = 0;
  messages = 0;
  readonly #blocks: Uint8Array[] = [];
  #frames: Uint8Array[] = [];
  #frameBytes = 0;

  add(frame: Uint8Array, rows: number): void {
    if (this.#frameBytes + frame.byteLength > BLOCK_BYTES) this.#endBlock();
    this.#frames.push(frame);
    this.#frameBytes += frame.byteLength;
    this.bytes += frame.byteLength;
    this.rows += rows;
    this.messages++;
  }

  finish(): readonly Uint8Array[] {
    this.#endBlock();
    return this.#blocks;
  }

  #endBlock(): void {
    if (this.#frames.length > 0) this.#blocks.push(Buffer.concat(this.#frames));
    this.#frames = [];
    this.#frameBytes = 0;
  }
}

/** The event with its times moved back. */
function shifted(event: Readonly<Record<string, unknown>>, byMs: number): unknown {
  if (byMs === 0) return event;
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) =>
      typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value)
        ? [name, new Date(Date.parse(value) - byMs).toISOString()]
        : [name, value],
    ),
  );
}
