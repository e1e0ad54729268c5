/** The Avro codecs of every released schema. */
import avro from "avsc";
import type { AvroRecord, SchemaRelease } from "./avro-schema.ts";
import { avroOptions } from "./logical-types.ts";
import { releases } from "./releases.generated.ts";

/**
 * One event as it travels in a block: `index` is its position in the request, `extra` the JSON of fields its schema does
 * not know, `lexical` the JSON of {pointer: original} for values whose text the typed column would not give back.
 */
export interface Envelope {
  readonly index: number;
  readonly extra: string | null;
  readonly lexical: string | null;
  readonly event: unknown;
}

export interface SchemaCodec extends SchemaRelease {
  /** avsc's own: the judge of the others, for tools and tests. It generates code, which workerd refuses in handlers. */
  readonly type: avro.Type;
  /** avsc's, of the event inside an `Envelope`: what a block is a sequence of. */
  readonly envelope: avro.Type;
}

/** The Avro schema of `Envelope` around an event's schema; the column decoder of bronze walks the same one. */
export function envelopeSchema(event: AvroRecord): AvroRecord {
  return {
    type: "record",
    name: "Envelope",
    namespace: "sluice.envelope",
    fields: [
      { name: "index", type: "int" },
      { name: "extra", type: ["null", "string"], default: null },
      { name: "lexical", type: ["null", "string"], default: null },
      // Without a namespace of its own an event's type would inherit this one, and a record named Envelope meet it again.
      { name: "event", type: { ...event, namespace: event.namespace ?? "" } },
    ],
  };
}

/**
 * Builds the codecs of a release. avsc's two types are made when they are first asked for: the Worker never asks (it
 * writes with `write` and reads columns), and a hundred topics' types would take most of its start-up time
 * (`npm run bench -- startup`). Throws avsc's error, then, if the schema is not valid Avro.
 */
export function buildCodec(release: SchemaRelease): SchemaCodec {
  let type: avro.Type | undefined;
  let envelope: avro.Type | undefined;
  return {
    ...release,
    get type() {
      type ??= avro.Type.forSchema(toAvsc(release.schema), avroOptions());
      return type;
    },
    get envelope() {
      envelope ??= avro.Type.forSchema(toAvsc(envelopeSchema(release.schema)), avroOptions());
      return envelope;
    },
  };
}

// avsc keeps the schema object it is given and its types want mutable arrays: a copy satisfies both.
function toAvsc(schema: AvroRecord): avro.Schema {
  return JSON.parse(JSON.stringify(schema));
}

const codecs: readonly SchemaCodec[] = releases.map(buildCodec);
const byId = new Map(codecs.map((codec) => [codec.id, codec]));
const byVersion = new Map(codecs.map((codec) => [`${codec.topic}/${codec.version}`, codec]));

export function codecById(id: number): SchemaCodec | undefined {
  return byId.get(id);
}

export function codecOf(topic: string, version: number): SchemaCodec | undefined {
  return byVersion.get(`${topic}/${version}`);
}

/** The codecs of a topic, oldest version first. */
export function codecsOf(topic: string): readonly SchemaCodec[] {
  return codecs.filter((codec) => codec.topic === topic).sort((a, b) => a.version - b.version);
}
