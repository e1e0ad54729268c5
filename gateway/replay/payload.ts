/** The event that a dead letter keeps, to be judged again: from its payload, wherever that lies and however it is kept. */
import type { StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { overBound } from "../../schemas/json-bounds.ts";
import type { TopicAdmitter } from "../admit/topics.ts";
import { mappingOf } from "../bodies/cloudevents.ts";
import { textOf } from "../bodies/event-batch.ts";
import { exactEvent } from "../bodies/json.ts";
import type { GatewayDeps } from "../deps.ts";
import type { Keyring } from "../masking/keyring.ts";
import { UnsealError, unseal } from "../masking/masker.ts";
import { RevealError, revealEvent } from "../masking/reveal.ts";

export type ReplayEvent =
  | {
      readonly kind: "event";
      readonly event: Record<string, unknown>;
      /** Whether the event had no id and has its first dead letter's. */
      readonly keyed: boolean;
    }
  /** Nothing that can be judged. `reason` quotes nothing of the payload. */
  | { readonly kind: "unreplayable"; readonly reason: string };

/** An event has at most 100,000 bytes once encoded, and its JSON text hardly ten times that. */
const MOST_PAYLOAD_BYTES = 1_000_000;

/** Reads what is kept and makes the event of it. `keys` opens what is sealed; null for topics without masked fields. Throws R2's errors. */
export async function replayEvent(
  letter: StoredDeadLetter,
  admitter: TopicAdmitter,
  lake: Pick<GatewayDeps["lake"], "get">,
  keys: Keyring | null,
): Promise<ReplayEvent> {
  const stored = await payloadBytes(letter, lake);
  if (typeof stored === "string") return unreplayable(stored);
  return eventOf(stored, letter, admitter, keys);
}

/** The payload as it is kept, or why there is none to be had. */
async function payloadBytes(
  { payload, payload_ref, payload_encoding }: StoredDeadLetter,
  lake: Pick<GatewayDeps["lake"], "get">,
): Promise<Uint8Array | string> {
  if (payload_encoding !== "utf-8" && payload_encoding !== "aes-gcm") {
    return "the payload is no text: it was binary and could not be decoded, so its producer must send it anew";
  }
  if (payload !== null) return Buffer.from(payload);
  if (payload_ref === null) return "the dead letter has no payload";
  const object = await lake.get(payload_ref, { range: { offset: 0, length: MOST_PAYLOAD_BYTES } });
  if (object === null) return "its payload is not in the lake any more: its time to live is over";
  if (object.size > MOST_PAYLOAD_BYTES) return `its payload has ${object.size} bytes: no event is so large`;
  return new Uint8Array(await object.arrayBuffer());
}

function eventOf(
  stored: Uint8Array,
  letter: StoredDeadLetter,
  { contract }: TopicAdmitter,
  keys: Keyring | null,
): ReplayEvent {
  let event: unknown;
  try {
    if (letter.payload_encoding === "aes-gcm") {
      if (keys === null) return unreplayable("its payload is sealed, and the topic has no masked fields any more");
      event = parsed(unseal(letter.source_topic, Buffer.from(stored).toString(), keys));
    } else {
      const readable = overBound(stored) === undefined ? textOf(stored) : undefined;
      event = keys === null ? parsed(stored) : revealEvent(readable ?? "", letter.source_topic, keys);
    }
  } catch (error) {
    if (error instanceof UnsealError || error instanceof RevealError) return unreplayable(error.message);
    if (error instanceof SyntaxError || error instanceof RangeError) event = undefined;
    else throw error;
  }
  if (event === undefined)
    return unreplayable("its payload is not JSON that can be read: its producer must send it anew");
  if (!isJsonObject(event)) return unreplayable("its payload is no JSON object, so it is no event");
  return { kind: "event", ...withId(event, mappingOf(contract).idField, letter) };
}

/** Exactly as the gateway reads a body: throws a SyntaxError for what is no JSON. */
function parsed(bytes: Uint8Array): unknown {
  const text = textOf(bytes);
  if (text === undefined || overBound(bytes) !== undefined) return undefined;
  JSON.parse(text);
  return exactEvent(text).event;
}

// Keyed by its first dead letter, so that it is one event however often it is replayed.
function withId(event: Record<string, unknown>, idField: string | null, { dlq_id, replay_of }: StoredDeadLetter) {
  if (idField === null || (event[idField] !== undefined && event[idField] !== null)) return { event, keyed: false };
  return { event: { ...event, [idField]: replay_of ?? dlq_id }, keyed: true };
}

function unreplayable(reason: string): ReplayEvent {
  return { kind: "unreplayable", reason };
}
