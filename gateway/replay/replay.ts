/** Dead letters through admission again: what became of each, and the messages that make it so. */
import { currentSchema } from "../../contracts/registry.ts";
import type { EventError } from "../../contracts/verdict.ts";
import type { StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import type { PackedEvent, PackedMessage } from "../../schemas/pack.ts";
import { parseTimestamp } from "../../schemas/time.ts";
import { replayAdmitterOf, type TopicAdmitter } from "../admit/topics.ts";
import { appendDeadLetter, release } from "../dead-letters/encode.ts";
import type { GatewayDeps } from "../deps.ts";
import { isolateNaming, type MessageName, noteFailed, type Origin, pack, type Target } from "../ingest.ts";
import { lakeAnswers } from "../lake-access.ts";
import type { Keyring } from "../masking/keyring.ts";
import type { Masker } from "../masking/masker.ts";
import { maskerOf } from "../masking/masker-of.ts";
import { sendAll } from "../send.ts";
import { judgeReplay } from "./judge.ts";
import { replayEvent } from "./payload.ts";
import { refusedAgain } from "./refused-again.ts";

export interface ReplayOptions {
  readonly schemaVersion: number | null;
  readonly acceptMasked: boolean;
  readonly dryRun: boolean;
}

/** What became of one dead letter; in a dry run, what would. */
export type ReplayResult = { readonly letter: StoredDeadLetter } & (
  | { readonly status: "accepted"; readonly keyed: boolean }
  /** `deadLetter`: the id of the new one. */
  | { readonly status: "rejected"; readonly errors: readonly EventError[]; readonly deadLetter: string }
  | { readonly status: "unreplayable"; readonly reason: string }
  /** Not stored: replay it again. */
  | { readonly status: "retry" }
);

export interface Replayed {
  /** In the order of the dead letters. */
  readonly results: readonly ReplayResult[];
  /** Messages that are durable. */
  readonly messages: number;
}

interface Outgoing {
  /** The event's first reception: whatever a replay sends goes under it. */
  readonly origin: Origin;
  readonly target: Target;
  readonly event: PackedEvent;
}

/**
 * Judges each dead letter, and sends what comes of it unless it is a dry run; all is durable when it resolves. Throws the problems
 * LAKE_UNAVAILABLE and MASKING_KEYS_UNAVAILABLE, before anything is sent.
 */
export async function replay(
  letters: readonly StoredDeadLetter[],
  options: ReplayOptions,
  deps: GatewayDeps,
): Promise<Replayed> {
  const buffer = createEventBuffer(letters.length * 1_024);
  const outgoing: Outgoing[] = [];
  const results: ReplayResult[] = [];
  const tools = new Map<string, TopicTools | null>();
  // One at a time: a payload that lies apart may have a megabyte, and nothing waits for a replay.
  for (const [index, letter] of letters.entries()) {
    const topic = toolsOf(letter.source_topic, tools, deps);
    if (topic === null) {
      const reason = `topic ${letter.source_topic} has no contract any more`;
      results.push({ letter, status: "unreplayable", reason });
      continue;
    }
    const { admitter, masker, keys } = topic;
    const { contract } = admitter;
    const event = await lakeAnswers(() => replayEvent(letter, admitter, deps.lake, keys));
    const verdict = judgeReplay(letter, event, { admitter, masker, output: buffer, ...options });
    const origin = originOf(letter);
    if (verdict.status === "unreplayable") {
      results.push({ letter, ...verdict });
    } else if (verdict.status === "accepted") {
      const { admitted, keyed } = verdict;
      const replayOf = letter.replay_of ?? letter.dlq_id;
      const target = { ...contract, schemaId: admitted.schemaId };
      outgoing.push({ origin, target, event: { ...admitted, index, replayOf } });
      results.push({ letter, status: "accepted", keyed });
    } else {
      const { errors, schemaVersion } = verdict;
      const again = refusedAgain(letter, { errors, schemaVersion, contractVersion: contract.version });
      const target = { ...release.contract, schemaId: currentSchema(release.contract).id };
      outgoing.push({ origin, target, event: appendDeadLetter(again, index, buffer) });
      results.push({ letter, status: "rejected", errors, deadLetter: again.dlq_id });
    }
  }
  if (options.dryRun) return { results, messages: 0 };
  const names: MessageName[] = [];
  const naming = isolateNaming(deps, names);
  const messages = messagesOf(outgoing, (events, target, origin) => pack(events, buffer, target, origin, naming));
  const { sent, unsent, failed } = await sendAll(messages, (topic) => deps.topicQueue(topic));
  noteFailed(names, failed);
  const lost = new Set(unsent);
  return {
    results: results.map((result, index) => (lost.has(index) ? { letter: result.letter, status: "retry" } : result)),
    messages: sent,
  };
}

interface TopicTools {
  readonly admitter: TopicAdmitter;
  readonly masker: Masker | null;
  /** What opens sealed values. */
  readonly keys: Keyring | null;
}

function toolsOf(topic: string, known: Map<string, TopicTools | null>, deps: GatewayDeps): TopicTools | null {
  let tools = known.get(topic);
  if (tools === undefined) {
    const admitter = replayAdmitterOf(topic);
    const masker = admitter === undefined ? null : maskerOf(admitter, deps);
    const keys = masker === null ? null : deps.maskingKeys();
    tools = admitter === undefined ? null : { admitter, masker, keys: keys?.ok === true ? keys.payload : null };
    known.set(topic, tools);
  }
  return tools;
}

function originOf({ request_id, producer, received_at, dlq_id }: StoredDeadLetter): Origin {
  const received = parseTimestamp(received_at);
  if (received === undefined) throw new Error(`dead letter ${dlq_id} was received at no time`);
  return { requestId: request_id, producer, received };
}

/** One header speaks for all events of a message: those of one request, topic and schema travel together. */
function messagesOf(
  outgoing: readonly Outgoing[],
  pack: (events: readonly PackedEvent[], target: Target, origin: Origin) => PackedMessage[],
): PackedMessage[] {
  const groups = Map.groupBy(outgoing, ({ origin, target }) =>
    JSON.stringify([target.topic, target.schemaId, origin.requestId, origin.producer, origin.received]),
  );
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first === undefined
      ? []
      : pack(
          group.map(({ event }) => event),
          first.target,
          first.origin,
        );
  });
}
