/** Where tests let platform events go: the queue's side of an emission, decoded. */
import { contractOf, currentSchema } from "../../../../contracts/registry.ts";
import { createAdmitter } from "../../../../gateway/admit/admitter.ts";
import type { EmitDeps } from "../../../../scheduled/platform-events/emit.ts";
import { codecById, type Envelope } from "../../../../schemas/codecs.ts";
import { createEventBuffer } from "../../../../schemas/event-buffer.ts";
import { decodeMessage } from "../../../../schemas/packed-block.ts";

export interface Receiver extends EmitDeps {
  /** Every event that became durable, in order. */
  readonly events: Record<string, unknown>[];
  /** Whether sends fail from now on. */
  setDown(down: boolean): void;
}

export function createReceiver(): Receiver {
  const events: Record<string, unknown>[] = [];
  let down = false;
  let ids = 0;
  return {
    events,
    setDown(value) {
      down = value;
    },
    topicQueue: () => ({
      async send(body) {
        if (down) throw new Error("queue unavailable");
        events.push(...decodeEvents(body));
      },
    }),
    uuidv7: () => `019aa000-0000-7000-8000-${String(ids++).padStart(12, "0")}`,
    countSent: () => {},
  };
}

function decodeEvents(message: Uint8Array): Record<string, unknown>[] {
  const { header, body } = decodeMessage(message);
  const codec = codecById(header.schema_id);
  if (codec === undefined) throw new Error(`no schema ${header.schema_id}`);
  const events: Record<string, unknown>[] = [];
  const buffer = Buffer.from(body);
  let at = 0;
  while (at < buffer.length) {
    const decoded: { value: Envelope; offset: number } = codec.envelope.decode(buffer, at);
    events.push(JSON.parse(JSON.stringify(decoded.value.event)));
    at = decoded.offset;
  }
  return events;
}

/**
 * The errors that admission finds in events of a platform topic, by its contract and current schema. (The gateway would take
 * the field `schema_version` of a change for the version of the event itself; nobody can post to these topics.)
 */
export function refusals(topic: string, events: readonly object[], now: number): readonly object[] {
  const contract = contractOf(topic);
  const codec = contract === undefined ? undefined : codecById(currentSchema(contract).id);
  if (contract === undefined || codec === undefined) throw new Error(`no topic ${topic}`);
  const admitter = createAdmitter(contract, codec);
  const output = createEventBuffer(1_024);
  const context = { received: now * 1_000, suspectSurrogates: true, output, masker: null };
  return events.flatMap((event, index) => {
    const verdict = admitter.admit(event, index, context);
    return verdict.accepted ? [] : verdict.errors;
  });
}
