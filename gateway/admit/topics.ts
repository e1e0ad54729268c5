/** The admitters of every topic and released schema version, built at module scope. */
import type { Contract } from "../../contracts/contract.ts";
import { hasMaskedFields } from "../../contracts/masking.ts";
import { contracts, currentSchema } from "../../contracts/registry.ts";
import { codecById, type SchemaCodec } from "../../schemas/codecs.ts";
import type { Masker } from "../masking/masker.ts";
import { type ConcealedPayload, concealPayload } from "../masking/payload.ts";
import { type Admission, type AdmissionContext, type Admitter, createAdmitter } from "./admitter.ts";
import type { OnMasked } from "./plan.ts";
import { isRecord } from "./value-forms.ts";

export interface TopicAdmitter {
  readonly contract: Contract;
  /** Whether any field is masked: then events can only be judged with a masker. */
  readonly pii: boolean;
  /** The id of an event as verdicts and dead letters name it, masked if the field is: null if it has none that can be shown. */
  eventIdOf(event: unknown, masker: Masker | null): string | null;
  /** What a dead letter keeps of a refused event's bytes in a topic with masked fields. */
  conceal(bytes: Uint8Array, schemaVersion: number | null, masker: Masker): ConcealedPayload;
  /** The schema version that an event is judged by, released or not: its own, else the request's, else the current one. */
  versionOf(event: unknown, requestVersion: number | null): number;
  /** The admitter of a schema version; undefined if that is not released. */
  judgeOf(version: number): Admitter | undefined;
  admit(event: unknown, index: number, requestVersion: number | null, context: AdmissionContext): Admission;
}

const MAX_EVENT_ID = 256;

export function createTopicAdmitter(
  contract: Contract,
  codecs: readonly SchemaCodec[],
  onMasked: OnMasked = "judge",
): TopicAdmitter {
  const byVersion = new Map<number, Admitter>(
    codecs.map((codec) => [codec.version, createAdmitter(contract, codec, onMasked)]),
  );
  const current = currentSchema(contract).version;
  const retired = new Set(contract.schemas.filter((schema) => schema.retired === true).map(({ version }) => version));
  const unretired = new Map([...byVersion].filter(([version]) => !retired.has(version)));
  const idField = contract.dedupeKey[0] ?? "";
  const idMasking = contract.fields.find((field) => field.name === idField)?.masking;
  const pii = hasMaskedFields(contract);

  function versionOf(event: unknown, requestVersion: number | null): number {
    // The platform's own events are of the current version, and may speak of another topic's in this field.
    if (isRecord(event) && !contract.platformOnly) {
      // Where an event says which version it is of. A literal: V8 looks up a member whose name is in a variable much more slowly.
      const own = event["schema_version"];
      // Any other value is for the schema to judge: it is a typed field.
      if (typeof own === "number" && Number.isInteger(own)) return own;
    }
    return requestVersion ?? current;
  }

  return {
    contract,
    versionOf,
    pii,
    judgeOf: (version) => byVersion.get(version),
    conceal(bytes, schemaVersion, masker) {
      const judgedBy = schemaVersion === null ? undefined : byVersion.get(schemaVersion);
      const admitter = judgedBy ?? byVersion.get(current);
      if (admitter === undefined) throw new Error(`${contract.topic}: the current schema has no admitter`);
      return concealPayload(bytes, contract.topic, admitter.plan, masker);
    },
    eventIdOf(event, masker) {
      // A field of a schema has no name that objects inherit (`plan.ts`).
      const id = isRecord(event) ? event[idField] : undefined;
      if (typeof id !== "string" || id.length > MAX_EVENT_ID) return null;
      if (idMasking === undefined) return id.toWellFormed();
      return masker === null ? null : masker.mask(idMasking, id);
    },
    admit(event, index, requestVersion, context) {
      const version = versionOf(event, requestVersion);
      const admitter = unretired.get(version);
      if (admitter !== undefined) return admitter.admit(event, index, context);
      const got = retired.has(version) ? `${version}, which is retired` : version;
      const detail = `expected a released schema version of ${contract.topic} (${[...unretired.keys()].join(", ")}), got ${got}`;
      return {
        accepted: false,
        errors: [{ error_type: "UNKNOWN_SCHEMA", pointer: "/schema_version", rule: null, detail }],
      };
    },
  };
}

function codecsOf(contract: Contract): SchemaCodec[] {
  return contract.schemas.map(({ id }) => codecById(id)).filter((codec) => codec !== undefined);
}

const admitters = new Map(
  contracts.map((contract) => [contract.topic, createTopicAdmitter(contract, codecsOf(contract))]),
);

export function admitterOf(topic: string): TopicAdmitter | undefined {
  return admitters.get(topic);
}

const replayAdmitters = new Map<string, TopicAdmitter>();

/** What judges replays: it takes values that stand masked. Made at first use, which generates no code; most topics have only the one admitter. */
export function replayAdmitterOf(topic: string): TopicAdmitter | undefined {
  const admitter = replayAdmitters.get(topic) ?? admitters.get(topic);
  if (admitter === undefined || !admitter.pii || replayAdmitters.has(topic)) return admitter;
  const { contract } = admitter;
  const made = createTopicAdmitter(contract, codecsOf(contract), "keep");
  replayAdmitters.set(topic, made);
  return made;
}
