/**
 * A dead letter's event through admission again, as if it had come when it came first: time windows are judged by the first
 * reception, and what stands masked is neither judged nor masked again.
 */
import type { EventError } from "../../contracts/verdict.ts";
import type { StoredDeadLetter } from "../../lakehouse/lookups/dead-letters/dead-letter.ts";
import type { AvroOutput } from "../../schemas/avro-output.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { parseTimestamp } from "../../schemas/time.ts";
import type { AdmittedEvent } from "../admit/admitter.ts";
import { readsMasked } from "../admit/replay-rules.ts";
import type { TopicAdmitter } from "../admit/topics.ts";
import type { Masker } from "../masking/masker.ts";
import { hasMaskedForm } from "../masking/tags.ts";
import type { ReplayEvent } from "./payload.ts";

export type ReplayVerdict =
  | { readonly status: "accepted"; readonly admitted: AdmittedEvent; readonly keyed: boolean }
  | { readonly status: "rejected"; readonly errors: readonly EventError[]; readonly schemaVersion: number }
  | { readonly status: "unreplayable"; readonly reason: string };

export interface ReplayContext {
  readonly admitter: TopicAdmitter;
  readonly masker: Masker | null;
  readonly output: AvroOutput;
  /** For events that name none, in place of the version that they were judged by; null: that version. */
  readonly schemaVersion: number | null;
  /** Whether values that were refused, and are masked since, may pass. */
  readonly acceptMasked: boolean;
}

export function judgeReplay(letter: StoredDeadLetter, replay: ReplayEvent, context: ReplayContext): ReplayVerdict {
  if (replay.kind === "unreplayable") return { status: "unreplayable", reason: replay.reason };
  const { admitter, masker, output } = context;
  const { event, keyed } = replay;
  const received = parseTimestamp(letter.received_at);
  if (received === undefined) throw new Error(`dead letter ${letter.dlq_id} was received at no time`);
  const version = context.schemaVersion ?? letter.schema_version;
  const schemaVersion = admitter.versionOf(event, version);
  const place = context.acceptMasked ? null : maskedError(letter, event, admitter, schemaVersion);
  if (place !== null) {
    const reason = `${place} was refused and is masked since, so it cannot be judged again: its producer must send it anew, or accept_masked takes it as it is`;
    return { status: "unreplayable", reason };
  }
  // Unsealed and altered texts were never scanned for lone surrogates together.
  const admission = admitter.admit(event, letter.event_index, version, {
    received,
    suspectSurrogates: true,
    output,
    masker,
  });
  if (admission.accepted) return { status: "accepted", admitted: admission, keyed };
  return { status: "rejected", errors: admission.errors, schemaVersion };
}

/** The pointer or rule of an error that rests on a value which stands masked now; null if there is none. */
function maskedError(
  letter: StoredDeadLetter,
  event: unknown,
  admitter: TopicAdmitter,
  version: number,
): string | null {
  if (!admitter.pii) return null;
  const judge = admitter.judgeOf(version);
  for (const { pointer, rule: id } of letter.errors) {
    const value = valueAt(event, pointer);
    if (typeof value === "string" && hasMaskedForm(value)) return pointer;
    const rule = judge?.rules.find((candidate) => candidate.id === id);
    if (judge !== undefined && rule !== undefined && readsMasked(rule, event, judge.plan)) return `rule ${rule.id}`;
  }
  return null;
}

function valueAt(event: unknown, pointer: string): unknown {
  let value = event;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = value[Number(key)];
    else value = isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  }
  return value;
}
