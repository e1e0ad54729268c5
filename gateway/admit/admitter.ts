/**
 * Admission of one event by one contract and schema. Made at module scope: plans, checks, rules and codecs exist before
 * the first request. Cheap checks come first, and a valid, canonical event allocates only its verdict.
 */
import type { Contract } from "../../contracts/contract.ts";
import { shardOf } from "../../contracts/shards.ts";
import type { EventError } from "../../contracts/verdict.ts";
import type { SchemaCodec } from "../../schemas/codecs.ts";
import type { EventBuffer } from "../../schemas/event-buffer.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import type { PackedEvent } from "../../schemas/pack.ts";
import { maskEvent } from "../masking/event.ts";
import type { Masker } from "../masking/masker.ts";
import { CLEAN, compileCheck, INVALID, isRecord, NULLS, type Scratch, UNKNOWN_FIELDS } from "./check.ts";
import { type Demands, describe, type TimeWindow } from "./describe.ts";
import { loneSurrogates } from "./json-walk.ts";
import { compilePlan, type OnMasked, type RecordPlan } from "./plan.ts";
import { type CompiledRule, compileRules } from "./record-rules.ts";
import { rulesForReplay } from "./replay-rules.ts";
import { nullsResidue, type Residue, takeResidue } from "./residue.ts";

/** The largest event, envelope included: with its header it still fits a queue message of 128 KB (DESIGN 4). */
export const MAX_EVENT_BYTES = 100_000;

/** What a request says of all its events. */
export interface AdmissionContext {
  /** When the gateway read the request, microseconds since the epoch. */
  readonly received: number;
  /** Whether the body holds an escape that could make a lone surrogate; else strings are known to be well formed. */
  readonly suspectSurrogates: boolean;
  /** Where accepted events are written. */
  readonly output: EventBuffer;
  /** null only for topics without masked fields. */
  readonly masker: Masker | null;
}

/** An event written to `[start, end)` of the output, for a shard: what `schemas/pack.ts` packs. */
export interface AdmittedEvent extends PackedEvent {
  readonly accepted: true;
  readonly schemaId: number;
}

export type Admission = AdmittedEvent | { readonly accepted: false; readonly errors: readonly EventError[] };

export interface Admitter {
  readonly codec: SchemaCodec;
  /** What each field must be, and how it is masked. */
  readonly plan: RecordPlan;
  readonly rules: readonly CompiledRule[];
  admit(event: unknown, index: number, context: AdmissionContext): Admission;
}

const NO_RESIDUE: Residue = { extra: null, lexical: null };

export function createAdmitter(contract: Contract, codec: SchemaCodec, onMasked: OnMasked = "judge"): Admitter {
  const plan = compilePlan(contract, codec.schema, onMasked);
  const compiled = compileRules(contract.rules, plan);
  const rules = onMasked === "take" ? rulesForReplay(compiled, plan) : compiled;
  const scratch: Scratch = { eventMicros: 0 };
  const check = compileCheck(plan, scratch);
  const refusesUnknown = contract.unknownFields === "reject";
  const pastMicros = (contract.eventTimeWindow?.pastMs ?? Number.POSITIVE_INFINITY) * 1_000;
  const futureMicros = (contract.eventTimeWindow?.futureMs ?? Number.POSITIVE_INFINITY) * 1_000;
  const { shardKey, shards } = contract;

  function windowAt(received: number): TimeWindow | null {
    if (contract.eventTimeWindow === null) return null;
    return { field: contract.eventTime, earliest: received - pastMicros, latest: received + futureMicros };
  }

  /** The residue of a valid event, or null for one that is not valid. */
  function judge(event: unknown, context: AdmissionContext): Residue | null {
    const flags = check(event);
    if (flags & INVALID || (flags & UNKNOWN_FIELDS && refusesUnknown)) return null;
    if (scratch.eventMicros < context.received - pastMicros || scratch.eventMicros > context.received + futureMicros) {
      return null;
    }
    if (context.suspectSurrogates && loneSurrogates(event, 1).length > 0) return null;
    for (const rule of rules) if (rule.violation(event) !== null) return null;
    if (flags === CLEAN || !isRecord(event)) return NO_RESIDUE;
    if (flags === NULLS) return nullsResidue(event, plan);
    return isJsonObject(event) ? takeResidue(event, plan) : null;
  }

  /** What is stored of a valid event. Rules saw the clear values; from here on nothing does, the shard key included. */
  function concealed(event: Readonly<Record<string, unknown>>, residue: Residue, masker: Masker | null) {
    if (masker === null) throw new Error(`${contract.topic}: an event with masked fields needs keys`);
    // A text in JSON, so that readers of the column still find JSON in it.
    const extra = residue.extra === null ? null : JSON.stringify(masker.seal(contract.topic, residue.extra));
    return { event: maskEvent(event, plan, masker), extra, lexical: residue.lexical };
  }

  function refuse(event: unknown, context: AdmissionContext): Admission {
    const demands: Demands = {
      topic: contract.topic,
      plan,
      unknownFields: contract.unknownFields,
      rules,
      window: windowAt(context.received),
    };
    const errors = describe(event, demands);
    // A refusal without a reason would be a defect of ours: it must not cost the producer an event.
    if (errors.length === 0) throw new Error(`${contract.topic}: the check refused an event that has no error`);
    return { accepted: false, errors };
  }

  return {
    codec,
    plan,
    rules,
    admit(sent, index, context) {
      const judged = judge(sent, context);
      if (judged === null || !isRecord(sent)) return refuse(sent, context);
      const { output } = context;
      const { event, extra, lexical } = plan.pii ? concealed(sent, judged, context.masker) : { event: sent, ...judged };
      const start = output.length;
      const end = output.append(codec, { index, extra, lexical, event });
      if (end - start > MAX_EVENT_BYTES) {
        output.truncate(start);
        return { accepted: false, errors: [tooLarge(end - start)] };
      }
      const key = shards === 1 ? [] : shardKey.map((name) => event[name]);
      return { accepted: true, schemaId: codec.id, index, shard: shardOf(key, shards), start, end, label: null };
    },
  };
}

function tooLarge(bytes: number): EventError {
  const detail = `expected at most ${MAX_EVENT_BYTES} bytes encoded, got ${bytes}: send large parts by reference`;
  return { error_type: "EVENT_TOO_LARGE", pointer: "", rule: null, detail };
}
