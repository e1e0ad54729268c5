/** A topic's events in every form that docs/bodies.md takes. */
import { deflateRawSync } from "node:zlib";
import avro from "avsc";
import type { SchemaCodec } from "../../schemas/codecs.ts";

export const TEXT_FORMS: readonly TextForm[] = [
  "object",
  "array",
  "ndjson",
  "cloudevent",
  "cloudevent-batch",
  "cloudevent-data",
];
export const AVRO_FORMS = ["avro-container", "avro-deflate", "avro-wire"] as const;

export type TextForm = "object" | "array" | "ndjson" | "cloudevent" | "cloudevent-batch" | "cloudevent-data";
export type AvroForm = (typeof AVRO_FORMS)[number];

export interface FormedBody {
  readonly body: Buffer;
  /** Content-Type, and the attributes of CloudEvents in binary mode. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Forms that hold one event whatever they are given. */
export function holdsOne(form: TextForm | AvroForm): boolean {
  return form === "object" || form === "cloudevent" || form === "cloudevent-data" || form === "avro-wire";
}

/** Events as JSON texts, in a form. Of forms for one event, the first; `id` is the envelope's. */
export function textBody(form: TextForm, texts: readonly string[], id: string): FormedBody {
  const [first = "null"] = texts;
  switch (form) {
    case "object":
      return formed(first, "application/json");
    case "array":
      return formed(`[${texts.join(",")}]`, "application/json");
    case "ndjson":
      return formed(texts.join("\n"), "application/x-ndjson");
    case "cloudevent":
      return formed(envelope(first, id), "application/cloudevents+json");
    case "cloudevent-batch": {
      const envelopes = texts.map((text, index) => envelope(text, `${id}-${index}`));
      return formed(`[${envelopes.join(",")}]`, "application/cloudevents-batch+json");
    }
    case "cloudevent-data": {
      const { body, headers } = formed(first, "application/json");
      const attributes = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/fuzz", "ce-type": "fuzz" };
      return { body, headers: { ...headers, ...attributes } };
    }
  }
}

function envelope(text: string, id: string): string {
  return `{"specversion":"1.0","id":${JSON.stringify(id)},"source":"/fuzz","type":"fuzz","data":${text}}`;
}

function formed(text: string, type: string): FormedBody {
  return { body: Buffer.from(text), headers: { "content-type": type } };
}

/**
 * Valid events in Avro. `claimed` is the number of events that a container's block says it has. Throws avsc's error for an
 * event that the schema does not take.
 */
export function avroBody(
  form: AvroForm,
  codec: SchemaCodec,
  events: readonly unknown[],
  claimed: number = events.length,
): FormedBody {
  const data = events.map((event) => codec.type.toBuffer(event));
  if (form === "avro-wire") {
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(codec.id, 1);
    return binary(Buffer.concat([prefix, data[0] ?? Buffer.alloc(0)]), "application/vnd.confluent.avro");
  }
  const deflate = form === "avro-deflate";
  const header = metadata.toBuffer({
    "avro.schema": Buffer.from(JSON.stringify(codec.schema)),
    "avro.codec": Buffer.from(deflate ? "deflate" : "null"),
  });
  const block = deflate ? deflateRawSync(Buffer.concat(data)) : Buffer.concat(data);
  const parts = [MAGIC, header, SYNC, long.toBuffer(claimed), long.toBuffer(block.length), block, SYNC];
  return binary(Buffer.concat(parts), "application/avro");
}

function binary(body: Buffer, type: string): FormedBody {
  return { body, headers: { "content-type": type } };
}

// Object container files: Avro specification 1.12.
const MAGIC = Buffer.from("Obj\u0001", "latin1");
const SYNC = Buffer.from("sluice-fuzz-sync");
const metadata = avro.Type.forSchema({ type: "map", values: "bytes" });
const long = avro.Type.forSchema("long");
