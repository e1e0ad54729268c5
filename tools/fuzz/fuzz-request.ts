/** The request of a seed and an index: the same one every time, whatever was sent before it. */
import { gzipSync } from "node:zlib";
import type { Contract } from "../../contracts/contract.ts";
import { exampleEvent } from "../../contracts/documents/example-event.ts";
import { contracts } from "../../contracts/registry.ts";
import { Random } from "../../producers/simulators/random.ts";
import { codecsOf, type SchemaCodec } from "../../schemas/codecs.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { AVRO_FORMS, avroBody, type FormedBody, holdsOne, TEXT_FORMS, textBody } from "./body-forms.ts";
import { type Canaries, canariesOf, disclosesItself, leaksInside } from "./canaries.ts";
import { mutateBytes, mutateEnd } from "./mutate-bytes.ts";
import { mutateEvent, textOfEvent } from "./mutate-event.ts";

export interface FuzzRequest {
  readonly index: number;
  readonly topic: string;
  /** Begins with `?`. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly dryRun: boolean;
}

export interface FuzzWorld {
  readonly seed: number;
  /** Milliseconds since the epoch: around it lie the times of valid events. */
  readonly now: number;
  /** From `jsonPool`. */
  readonly pool: readonly unknown[];
}

const topics = contracts.filter((contract) => !contract.platformOnly);
const STRANGE_TYPES = ["text/plain", "application/json; charset=latin1", "application/octet-stream", "x", "a/b;c=d"];
const OTHER_TYPES = ["application/json", "application/x-ndjson", "application/avro", "application/cloudevents+json"];
const DAY_MS = 86_400_000;

export function fuzzRequest(world: FuzzWorld, index: number): FuzzRequest {
  const random = new Random(`fuzz/${world.seed}/${index}`, "");
  const contract = random.pick(topics);
  const codec = random.pick(codecsOf(contract.topic).filter(({ retired }) => retired !== true));
  const formed = random.chance(0.2)
    ? avroRequest(world, index, contract, codec, random)
    : textRequest(world, index, contract, codec, random);
  const { body, encoding } = encoded(formed.body, random);
  const dry = random.weighted([
    ["", 92],
    ["&dry_run=true", 7],
    ["&dry_run=perhaps", 1],
  ] as const);
  return {
    index,
    topic: contract.topic,
    query: `?results=all${dry}`,
    headers: { ...formed.headers, ...encoding, ...otherHeaders(formed.headers["content-type"] ?? "", random) },
    body,
    dryRun: dry === "&dry_run=true",
  };
}

interface MutableEvent {
  readonly event: Record<string, unknown>;
  /** The canaries by masked field; empty in topics without. */
  readonly masked: ReadonlyMap<string, string>;
}

function validEvent(
  world: FuzzWorld,
  name: string,
  number: number,
  contract: Contract,
  codec: SchemaCodec,
): MutableEvent {
  const event = exampleEvent(contract, codec, { now: world.now - (number % 5) * DAY_MS, id: `fuzz-${name}` });
  const canaries = canariesOf(number);
  const masked = new Map<string, string>();
  for (const { name: field, masking } of contract.fields) {
    if (masking === undefined || !isCanary(field, canaries)) continue;
    event[field] = canaries[field];
    masked.set(field, canaries[field]);
  }
  return { event: structuredClone(event), masked };
}

function isCanary(field: string, canaries: Canaries): field is keyof Canaries {
  return Object.hasOwn(canaries, field);
}

function textRequest(
  world: FuzzWorld,
  index: number,
  contract: Contract,
  codec: SchemaCodec,
  random: Random,
): FormedBody {
  const form = random.pick(TEXT_FORMS);
  const count = holdsOne(form) ? 1 : random.int(1, 4);
  const texts = Array.from({ length: count }, (_, position) => {
    const { event, masked } = validEvent(world, `${index}-${position}`, index, contract, codec);
    if (random.chance(0.55)) mutateEvent(event, random, world.pool, masked);
    if (random.chance(0.02)) return textOfEvent(random.pick(world.pool), random);
    return textOfEvent(event, random);
  });
  const formed = textBody(form, texts, `ce-${index}`);
  if (!random.chance(0.3)) return formed;
  const spare = validEvent(world, `${index}-spare`, index, contract, codec);
  const other = Buffer.from(`[${textOfEvent(spare.event, random)}]`);
  const body = mutateBytes(formed.body, other, random);
  return disclosed(body, contract) ? formed : { ...formed, body };
}

function avroRequest(
  world: FuzzWorld,
  index: number,
  contract: Contract,
  codec: SchemaCodec,
  random: Random,
): FormedBody {
  const form = random.pick(AVRO_FORMS);
  const count = holdsOne(form) ? 1 : random.int(1, 4);
  const made = Array.from({ length: count }, (_, position) =>
    validEvent(world, `${index}-${position}`, index, contract, codec),
  );
  const events = made.map(({ event }) => event);
  const formed = avroBody(form, codec, events, random.chance(0.1) ? random.int(0, 6) : events.length);
  if (!random.chance(0.4)) return formed;
  // A changed length would move a canary into a field that is not masked, which no contract forbids.
  const hasCanaries = made.some(({ masked }) => masked.size > 0);
  const body = hasCanaries ? mutateEnd(formed.body, random) : mutateBytes(formed.body, formed.body, random);
  return { ...formed, body };
}

/** Whether mutated bytes, read in any of the text forms, show a canary where nothing is masked. */
function disclosed(body: Buffer, contract: Contract): boolean {
  if (!contract.fields.some(({ masking }) => masking !== undefined)) return false;
  const text = body.toString();
  return [text, ...text.split("\n")].flatMap(valuesOf).some((value) => {
    if (disclosesItself(value, contract)) return true;
    if (!isJsonObject(value)) return false;
    const { data, id, time } = value;
    return disclosesItself(data, contract) || leaksInside([id, time]);
  });
}

function valuesOf(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ""));
    return Array.isArray(value) ? value : [value];
  } catch {
    return [];
  }
}

function encoded(body: Buffer, random: Random): { readonly body: Buffer; readonly encoding: Record<string, string> } {
  const gzip = { "content-encoding": "gzip" };
  if (random.chance(0.85)) return { body, encoding: {} };
  const zipped = gzipSync(body);
  switch (random.int(0, 5)) {
    case 0:
      return { body: mutateBytes(zipped, zipped, random), encoding: gzip };
    case 1:
      return { body: random.chance(0.5) ? body : mutateEnd(zipped, random), encoding: gzip };
    case 2:
      return { body: zipped, encoding: random.chance(0.5) ? {} : { "content-encoding": "br" } };
    default:
      return { body: zipped, encoding: gzip };
  }
}

function otherHeaders(type: string, random: Random): Record<string, string> {
  const headers: Record<string, string> = {};
  // Avro read as text may show any field as another, so types change among texts only.
  const change = random.float();
  if (change < 0.04) headers["content-type"] = random.pick(STRANGE_TYPES);
  else if (change < 0.08 && type.includes("json")) headers["content-type"] = random.pick(OTHER_TYPES);
  if (random.chance(0.05)) headers["sluice-schema-version"] = random.pick(["1", "2", "9", "0", "x", "999999999"]);
  if (random.chance(0.03)) {
    const key = random.weighted([
      [`fuzz-shared-${random.int(0, 20)}`, 1],
      [`fuzz-${random.float()}`, 4],
      ["k".repeat(256), 1],
    ]);
    headers["idempotency-key"] = key;
  }
  if (random.chance(0.01)) headers["ce-id"] = "only-an-id";
  return headers;
}
