/** Promise P10: personal data stays inside the contract. Canaries go in everywhere, and come out nowhere. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Contract, FieldRule, RecordRule } from "../../contracts/contract.ts";
import { contractOf, currentSchema } from "../../contracts/registry.ts";
import { compilePlan } from "../../gateway/admit/plan.ts";
import { createTopicAdmitter } from "../../gateway/admit/topics.ts";
import { answerOf } from "../../gateway/answer.ts";
import { NO_ATTRIBUTES } from "../../gateway/bodies/cloudevent-headers.ts";
import { bodyBatches } from "../../gateway/bodies/decode.ts";
import { encodeDeadLetters } from "../../gateway/dead-letters/encode.ts";
import { judge } from "../../gateway/ingest.ts";
import { unseal } from "../../gateway/masking/masker.ts";
import { concealPayload } from "../../gateway/masking/payload.ts";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { buildCodec, codecById, type Envelope } from "../../schemas/codecs.ts";
import { applyResidue, isJsonObject } from "../../schemas/event-residue.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import { checkRule } from "../../tools/build/contracts/rules/check-rule.ts";
import { longOrShare } from "../long-share.ts";
import { canonicalJson } from "../oracle/arbitrary-event.ts";
import { localKeys, localMasker, storedForm } from "../oracle/local-masker.ts";
import { MemoryBucket } from "../oracle/memory-bucket.ts";
import { createHarness, NOW } from "../unit/gateway/harness.ts";
import { CANARY, eventsWithCanaries, leakIn } from "./masking/canary.ts";

const users = contractOf("users");
if (users === undefined) throw new Error("there is no topic users");

const optional = (type: AvroRecord | object | string) => ["null", type];
const schema: AvroRecord = JSON.parse(
  JSON.stringify({
    type: "record",
    name: "people",
    fields: [
      { name: "person", type: "string" },
      { name: "at", type: { type: "long", logicalType: "timestamp-micros" } },
      { name: "email", type: optional("string"), default: null },
      { name: "diary", type: optional("string"), default: null },
      { name: "city", type: optional("string"), default: null },
      { name: "age", type: optional("int"), default: null },
      { name: "score", type: optional("double"), default: null },
      {
        name: "home",
        type: {
          type: "record",
          name: "home",
          fields: [
            { name: "street", type: optional("string"), default: null },
            { name: "country", type: optional("string"), default: null },
          ],
        },
      },
      {
        name: "contacts",
        type: {
          type: "array",
          items: {
            type: "record",
            name: "contact",
            fields: [
              { name: "kind", type: "string" },
              { name: "number", type: "string" },
            ],
          },
        },
      },
      { name: "nicknames", type: { type: "array", items: "string" } },
    ],
  }),
);
const FIELDS: readonly FieldRule[] = [
  { name: "person", kind: "string", required: true, masking: "hmac", maxLength: 40 },
  { name: "at", kind: "timestamp", required: true },
  { name: "email", kind: "string", required: false, masking: "email", pattern: "@" },
  { name: "diary", kind: "string", required: false, masking: "redact" },
  { name: "city", kind: "string", required: false, maxLength: 10 },
  { name: "age", kind: "integer", required: false, minimum: 0 },
  { name: "score", kind: "number", required: false },
  {
    name: "home",
    kind: "object",
    required: true,
    fields: [
      { name: "street", kind: "string", required: false, masking: "redact" },
      { name: "country", kind: "string", required: false, pattern: "^[A-Z]{2}$" },
    ],
  },
  {
    name: "contacts",
    kind: "array",
    required: true,
    item: {
      name: "item",
      kind: "object",
      required: true,
      fields: [
        { name: "kind", kind: "string", required: true, accepted: ["phone", "fax"] },
        { name: "number", kind: "string", required: true, masking: "hmac", minLength: 3 },
      ],
    },
  },
  {
    name: "nicknames",
    kind: "array",
    required: true,
    item: { name: "item", kind: "string", required: true, masking: "hmac" },
  },
];

const EXPRESSION = "!has(event.age) || !has(event.diary) || event.age != 41 || int(event.diary) > event.age";
const RULE: RecordRule = {
  id: "people.rule",
  pointer: "/age",
  description: "cannot be evaluated for those who are 41, and the reason quotes the diary",
  expression: EXPRESSION,
  program: checkRule(EXPRESSION, FIELDS),
};
const people: Contract = {
  ...users,
  topic: "people",
  dedupeKey: ["person"],
  shardKey: ["person"],
  shards: 4,
  eventTime: "at",
  checks: [],
  schemas: [{ id: 1, version: 1 }],
  rules: [RULE],
  fields: FIELDS,
};
const codec = buildCodec({ topic: "people", version: 1, id: 1, schema });
const clear = {
  at: "2026-11-21T11:59:00+00:00",
  city: "Malmö",
  age: 40,
  score: 1.5,
  country: "SE",
  kind: "phone",
};
const plan = compilePlan(people, schema);
const events = eventsWithCanaries(plan, clear);
const masker = localMasker();
const keys = localKeys();

function bodyOf(text: string, format: "json" | "ndjson", contract: Contract) {
  const chunks = async function* () {
    yield Buffer.from(text);
  };
  return bodyBatches({
    format,
    encoding: "identity",
    chunks: chunks(),
    attributes: NO_ATTRIBUTES,
    contract,
    maxBytes: 1e7,
  });
}

/** Everything that leaves the gateway for a body: the answer, the encoded events and dead letters, the objects. */
async function passThrough(contract: Contract, text: string, format: "json" | "ndjson") {
  const admitter = createTopicAdmitter(contract, [codec]);
  const request = {
    admitter,
    requestId: "r",
    producer: "p",
    received: NOW * 1_000,
    schemaVersion: null,
    masker,
    batches: bodyOf(text, format, contract),
    maxEvents: 100,
    sizeHint: 0,
  };
  const judged = await judge(request);
  const bucket = new MemoryBucket();
  const context = {
    requestId: "r",
    sourceTopic: contract.topic,
    producer: "p",
    contractVersion: contract.version,
    received: request.received,
    conceal: (payload: Uint8Array, version: number | null) => admitter.conceal(payload, version, masker),
  };
  const letters = await encodeDeadLetters(judged.refusals, context, { put: bucket.put.bind(bucket) });
  const { accepted, buffer } = judged;
  return {
    answer: JSON.stringify(answerOf(judged, new Map(), request, { allResults: true, dryRun: false })),
    accepted: accepted.map(({ index, start, end }) => ({ index, bytes: Buffer.from(buffer.slice(start, end)) })),
    dead: letters.events.map(({ start, end }) => Buffer.from(letters.buffer.slice(start, end))),
    objects: [...bucket.objects.values()].map(({ bytes }) => bytes),
    unstored: letters.unstored,
  };
}

describe("a topic with masked fields", () => {
  test("lets no personal data out, whatever is wrong with an event", async () => {
    const spoiled = fc.tuple(events, fc.constantFrom("", "", "", "cut", "quoted", "long")).map(([text, how]) => {
      if (how === "cut") return text.slice(0, Math.max(1, text.lastIndexOf(CANARY) + CANARY.length));
      if (how === "quoted") return JSON.stringify(text);
      return how === "long" ? `${text.slice(0, -1)},"padding":"${CANARY}${"x".repeat(45_000)}"}` : text;
    });
    const policies = fc.constantFrom("keep" as const, "reject" as const);
    let accepted = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(spoiled, { minLength: 1, maxLength: 6 }), policies, async (lines, unknownFields) => {
        const out = await passThrough({ ...people, unknownFields }, lines.join("\n"), "ndjson");
        expect(out.unstored).toEqual([]);
        expect(leakIn(out.answer)).toBeNull();
        for (const bytes of [...out.accepted.map((event) => event.bytes), ...out.dead, ...out.objects]) {
          expect(leakIn(bytes)).toBeNull();
        }
        accepted += out.accepted.length;
        refused += out.dead.length;
      }),
      { numRuns: longOrShare(200, 60) },
    );
    // Both ways were walked.
    expect(Math.min(accepted, refused)).toBeGreaterThan(longOrShare(100, 20));
  });

  test("the search finds what is not masked", async () => {
    const clearly = { ...people, fields: people.fields.filter(({ name }) => name !== "person") };
    const text = fc
      .sample(eventsWithCanaries(compilePlan(clearly, schema), { ...clear, person: CANARY }), 20)
      .join("\n");
    const out = await passThrough(clearly, text, "ndjson");
    expect(out.accepted.some(({ bytes }) => leakIn(bytes) !== null)).toBe(true);
    expect(leakIn(out.answer)).not.toBeNull();
    expect(leakIn(Buffer.from(`.${CANARY}`).toString("base64"))).not.toBeNull();
  });

  test("stores masked values and, sealed, all that the schema does not know", async () => {
    await fc.assert(
      fc.asyncProperty(events, async (text) => {
        const out = await passThrough(people, text, "json");
        const [stored] = out.accepted;
        if (stored === undefined) return;
        const { event, extra, lexical }: Envelope = codec.envelope.fromBuffer(stored.bytes);
        const sent = parseExactJson(text);
        expect(canonicalJson(applyResidue(withoutNulls(event), null, lexical))).toBe(
          canonicalJson(storedForm(sent, plan)),
        );
        if (extra === null) return;
        const opened = openText(String(JSON.parse(extra)));
        expect(canonicalJson(applyResidue(withoutNulls(event), opened, lexical))).toBe(
          canonicalJson(maskStrings(sent)),
        );
      }),
    );
  });

  test("keeps of a refused event all but the masked values, for those who have the key", () => {
    fc.assert(
      fc.property(events, (text) => {
        const { text: payload, encoding } = concealPayload(Buffer.from(text), "people", plan, masker);
        expect(encoding).toBe("utf-8");
        expect(leakIn(payload)).toBeNull();
        expect(canonicalJson(reopen(JSON.parse(payload)))).toBe(canonicalJson(maskStrings(parseExactJson(text))));
      }),
    );
  });

  test.each(["nonsense", '"text"', "[1]", "{", "\ufeff{}", `{"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`])(
    "seals what is no event, byte for byte: %.20s",
    (text) => {
      const { text: payload, encoding } = concealPayload(Buffer.from(text), "people", plan, masker);
      expect(encoding).toBe("aes-gcm");
      expect(openText(payload)).toBe(text);
    },
  );
});

function openText(sealed: string): string {
  return Buffer.from(unseal("people", sealed, keys.payload)).toString();
}

/** Avro's null for an absent field. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isJsonObject(value) && !(typeof value === "object" && value !== null)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, withoutNulls(member)]),
  );
}

/** The event as sent, with the texts in masked fields masked: what a dead letter or a row holds once it is unsealed. */
function maskStrings(event: unknown): unknown {
  const masked: Record<string, unknown> = isJsonObject(event) ? { ...event } : {};
  const mask = (value: unknown, masking: "hmac" | "redact" | "email") =>
    typeof value === "string" ? masker.mask(masking, value) : value;
  const inner = (record: unknown, name: string, masking: "hmac" | "redact") =>
    isJsonObject(record) && Object.hasOwn(record, name) ? { ...record, [name]: mask(record[name], masking) } : record;
  const set = (name: string, change: (value: unknown) => unknown) => {
    if (Object.hasOwn(masked, name)) masked[name] = change(masked[name]);
  };
  set("person", (value) => mask(value, "hmac"));
  set("email", (value) => mask(value, "email"));
  set("diary", (value) => mask(value, "redact"));
  set("home", (home) => inner(home, "street", "redact"));
  set("contacts", (list) => (Array.isArray(list) ? list.map((item: unknown) => inner(item, "number", "hmac")) : list));
  set("nicknames", (list) => (Array.isArray(list) ? list.map((item: unknown) => mask(item, "hmac")) : list));
  return masked;
}

/** What replay will do with a payload: open `_extra` and every sealed value. */
function reopen(payload: unknown): unknown {
  if (!isJsonObject(payload)) throw new Error("a payload is an object");
  const { _extra, ...known } = payload;
  const open = (value: unknown): unknown => {
    if (typeof value === "string") return value.startsWith("sluice:aes:") ? parseExactJson(openText(value)) : value;
    if (Array.isArray(value)) return value.map(open);
    return isJsonObject(value)
      ? Object.fromEntries(Object.entries(value).map(([key, member]) => [key, open(member)]))
      : value;
  };
  return applyResidue(open(known), typeof _extra === "string" ? openText(_extra) : null, null);
}

describe("users, over HTTP", () => {
  const usersCodec = codecById(currentSchema(users).id);
  if (usersCodec === undefined) throw new Error("users has no codec");
  const usersPlan = compilePlan(users, usersCodec.schema);
  const right = {
    event_id: "cus_00042@1",
    user_id: "cus_00042",
    event_timestamp: "2026-11-21T11:59:00.000Z",
    status: "active",
    tier: "basic",
    country: "SE",
    signed_up_on: "2024-02-29",
    marketing_consent: true,
    updated_at: "2026-11-21T11:58:00.000Z",
    schema_version: 1,
  };

  test("nothing that is sent, put, logged or answered holds personal data", async () => {
    const bodies = fc.array(eventsWithCanaries(usersPlan, right), { minLength: 1, maxLength: 5 });
    const formats = fc.constantFrom<readonly [string, (lines: readonly string[]) => string]>(
      ["application/x-ndjson", (lines) => `${lines.join("\n")}\n{"email":"${CANARY}`],
      ["application/json", (lines) => `[${lines.join(",")}]`],
      ["application/json", (lines) => `[${lines.join(",")}, ${CANARY}`],
      [
        "application/cloudevents-batch+json",
        (lines) =>
          `[${lines.map((data) => `{"specversion":"1.0","id":"1","source":"/${CANARY}","type":"t","email":"${CANARY}","data":${data}}`)}]`,
      ],
      ["application/cloudevents-batch+json", (lines) => `[${lines.join(",")}]`],
    );
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(bodies, formats, async (lines, [type, join]) => {
        const harness = createHarness();
        const response = await harness.post("/v1/topics/users/events?results=all", join(lines), {
          "content-type": type,
        });
        seen.add(response.status);
        expect(leakIn(await response.text())).toBeNull();
        expect(leakIn(JSON.stringify(harness.sent))).toBeNull();
        expect(leakIn(JSON.stringify(harness.logs))).toBeNull();
        for (const [key, bytes] of harness.objects) {
          expect(leakIn(key)).toBeNull();
          expect(leakIn(bytes)).toBeNull();
        }
      }),
      { numRuns: longOrShare(100, 40) },
    );
    expect([...seen].sort()).toEqual(expect.arrayContaining([207, 400, 422]));
  });
});
