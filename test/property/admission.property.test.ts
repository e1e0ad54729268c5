/**
 * Admission, for random events of every topic that producers post to: the fast check and the description agree; what is
 * accepted can be rebuilt from what is stored; a JSON array's and NDJSON's spans are where the events stand.
 */
import fc from "fast-check";
import { expect, describe as group, it } from "vitest";
import type { Contract } from "../../contracts/contract.ts";
import { contractOf, contracts } from "../../contracts/registry.ts";
import { createAdmitter } from "../../gateway/admit/admitter.ts";
import { compileCheck, INVALID, UNKNOWN_FIELDS } from "../../gateway/admit/check.ts";
import { describe } from "../../gateway/admit/describe.ts";
import { createEventBuffer } from "../../gateway/admit/event-buffer.ts";
import { compilePlan, type RecordPlan, type ValuePlan } from "../../gateway/admit/plan.ts";
import { decodeJson } from "../../gateway/bodies/json.ts";
import { decodeNdjson } from "../../gateway/bodies/ndjson.ts";
import type { AvroRecord } from "../../schemas/avro-schema.ts";
import { buildCodec, codecById, type Envelope, type SchemaCodec } from "../../schemas/codecs.ts";
import { applyResidue } from "../../schemas/event-residue.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import { formatTimestamp } from "../../schemas/time.ts";

const RECEIVED = 1_795_262_400_000_000;

/** No contract of the shop has every type; this one has, nested, without rules that random events would break. */
const everything: { contract: Contract; codec: SchemaCodec } = (() => {
  const decimal = { type: "bytes", logicalType: "decimal", precision: 20, scale: 4 } as const;
  const inner: AvroRecord = {
    type: "record",
    name: "Inner",
    fields: [
      { name: "double", type: "double" },
      { name: "decimals", type: { type: "array", items: decimal } },
      { name: "at", type: ["null", { type: "long", logicalType: "timestamp-micros" }], default: null },
      { name: "grid", type: { type: "array", items: { type: "array", items: "int" } } },
    ],
  };
  const schema: AvroRecord = {
    type: "record",
    name: "Everything",
    fields: [
      { name: "id", type: "string" },
      { name: "time", type: { type: "long", logicalType: "timestamp-micros" } },
      { name: "long", type: "long" },
      { name: "int", type: ["null", "int"], default: null },
      { name: "day", type: ["null", { type: "int", logicalType: "date" }], default: null },
      { name: "flag", type: "boolean" },
      { name: "one", type: ["null", inner], default: null },
      { name: "many", type: { type: "array", items: { ...inner, name: "Many" } } },
      { name: "doubles", type: { type: "array", items: "double" } },
    ],
  };
  const orders = contractOf("orders");
  if (orders === undefined) throw new Error("there is no topic orders");
  const contract: Contract = {
    ...orders,
    topic: "everything",
    dedupeKey: ["id"],
    shardKey: ["id"],
    eventTime: "time",
    rules: [],
    fields: [{ name: "flag", kind: "boolean", required: true, accepted: ["true"] }],
    schemas: [{ id: 1, version: 1 }],
  };
  return { contract, codec: buildCodec({ id: 1, topic: "everything", version: 1, schema }) };
})();

const shop = contracts
  .filter((contract) => !contract.platformOnly)
  .map((contract) => {
    const codec = codecById(contract.schemas.at(-1)?.id ?? 0);
    if (codec === undefined) throw new Error(`${contract.topic} has no codec`);
    return { contract, codec };
  });

const topics = [...shop, everything].map(({ contract, codec }) => ({
  contract,
  codec,
  plan: compilePlan(contract, codec.schema),
}));

const patterns: Readonly<Record<string, fc.Arbitrary<string>>> = {
  "^ord_[0-9a-z]{6,32}$": fc.stringMatching(/^ord_[0-9a-z]{6,32}$/),
  "^pay_[0-9a-z]{6,32}$": fc.stringMatching(/^pay_[0-9a-z]{6,32}$/),
  "^[A-Z]{2}-[0-9]{3}$": fc.stringMatching(/^[A-Z]{2}-[0-9]{3}$/),
  "^[A-Z]{2}$": fc.stringMatching(/^[A-Z]{2}$/),
  "^/": fc.string({ maxLength: 20 }).map((text) => `/${text}`),
};

/** A time near the reception in one of the forms that RFC 3339 allows. */
const times = fc
  .tuple(fc.integer({ min: -3_600_000, max: 60_000 }), fc.constantFrom("Z", "z", "+00:00", "micros", "nanos", "plain"))
  .map(([offset, form]) => {
    const text = formatTimestamp(RECEIVED + offset * 1_000);
    if (form === "micros") return text.replace("Z", "456Z");
    if (form === "nanos") return text.replace("Z", "456789Z");
    return form === "plain" ? text.replace(/\.\d+/, "") : text.replace("Z", form);
  });

function textFor(plan: ValuePlan & { kind: "string" }): fc.Arbitrary<unknown> {
  if (plan.accepted !== null) return fc.constantFrom(...plan.accepted);
  if (plan.pattern !== null) {
    const arbitrary = patterns[plan.pattern.source.replaceAll("\\/", "/")];
    if (arbitrary === undefined) throw new Error(`no generator for the pattern ${plan.pattern.source}`);
    return arbitrary;
  }
  const maxLength = Math.min(plan.maxLength, 70);
  return fc
    .string({ minLength: plan.minLength, maxLength, unit: "grapheme" })
    .filter((text) => [...text].length <= maxLength);
}

function numberFor(plan: { minimum: number | null; maximum: number | null }, scale: number): fc.Arbitrary<number> {
  const factor = 10 ** scale;
  const min = Math.ceil((plan.minimum ?? -1_000) * factor);
  const max = Math.floor((plan.maximum ?? 1_000) * factor);
  return fc.integer({ min, max: Math.min(max, min + 2_000_000_000) }).map((unscaled) => unscaled / factor);
}

function valueFor(plan: ValuePlan): fc.Arbitrary<unknown> {
  switch (plan.kind) {
    case "string":
      return textFor(plan);
    case "integer":
      return fc
        .maxSafeInteger()
        .map((value) => Math.min(plan.maximum ?? plan.highest, Math.max(plan.minimum ?? plan.lowest, value)));
    case "double":
      // An exact one, or a text that stands for its nearest double; JSON.stringify writes both as they are.
      return plan.minimum === null && plan.maximum === null
        ? fc.oneof(
            fc.double({ noDefaultInfinity: true, noNaN: true }),
            fc.constant(JSON.rawJSON("0.30000000000000000004")),
          )
        : numberFor(plan, 3);
    case "decimal":
      return fc.tuple(numberFor(plan, plan.scale), fc.constantFrom("number", "text", "padded")).map(([value, form]) => {
        if (form === "number") return value;
        return form === "text" ? String(value) : value.toFixed(plan.scale + 3);
      });
    case "boolean":
      return plan.accepted === null ? fc.boolean() : fc.constant(true);
    case "date":
      return fc.constantFrom("2026-11-21", "2024-02-29");
    case "timestamp":
      return times;
    case "array":
      return fc.array(valueFor(plan.item), { minLength: plan.minItems, maxLength: Math.min(plan.maxItems, 5) });
    case "record":
      return recordFor(plan);
  }
}

const hostileKeys = fc.constantFrom("__proto__", "constructor", "toString", "a/b", "x~y", "", "extra");
/** Unknown fields as JSON text: through text, so that `__proto__` is a key and numbers may be longer than a double. */
const unknownTexts = fc.dictionary(
  fc.oneof(hostileKeys, fc.string({ maxLength: 8 })),
  fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.constantFrom("9007199254740993", "0.1000000000000000055", '{"__proto__":{"a":[12345678901234567890]}}', "null"),
  ),
  { maxKeys: 3, noNullPrototype: true },
);

function recordFor(plan: RecordPlan): fc.Arbitrary<Record<string, unknown>> {
  const fields = plan.fields.map(({ name, required, value }) => {
    // The version decides the schema; a random one would only test UNKNOWN_SCHEMA.
    if (name === "schema_version") return fc.constantFrom([name, 1], [name, null], null);
    const present = valueFor(value).map((each) => [name, each] as const);
    return required ? present : fc.oneof(present, fc.constant(null), fc.constant([name, null] as const));
  });
  return fc.tuple(fc.tuple(...fields), unknownTexts).map(([entries, unknown]) => {
    const known = entries.filter((entry) => entry !== null);
    const text = JSON.stringify(Object.fromEntries(known.map(([name, value]) => [String(name), value])));
    const extra = Object.entries(unknown).filter(([key]) => !plan.byName.has(key));
    const members = extra.map(([key, json]) => `${JSON.stringify(key)}:${json}`).join(",");
    return { [RAW]: members === "" ? text : text === "{}" ? `{${members}}` : `${text.slice(0, -1)},${members}}` };
  });
}

/** Records are generated as JSON texts; nested ones are spliced into their parents' text. */
const RAW = "raw JSON text";

function textOf(value: unknown): string {
  return splice(JSON.stringify(value));
}

function splice(text: string): string {
  // A generated record stands as {"raw JSON text": "..."}; its text may hold more of them.
  const marker = `{"${RAW}":`;
  const at = text.indexOf(marker);
  if (at < 0) return text;
  const start = at + marker.length;
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  const inner: unknown = JSON.parse(text.slice(start, end + 1));
  return `${text.slice(0, at)}${splice(String(inner))}${splice(text.slice(end + 2))}`;
}

/** Rules hold for few random events: amounts and items are made to agree, refunds get a reason. */
function keepRules(text: string): string {
  const event: unknown = parseExactJson(text);
  if (typeof event !== "object" || event === null) return text;
  const members: string[] = [];
  if ("items" in event && Array.isArray(event.items)) {
    const cents = event.items.reduce(
      (sum: number, { quantity, unit_price }) => sum + Math.round(Number(quantity) * Number(unit_price) * 100),
      0,
    );
    if (cents < 1 || cents > 100_000_000)
      members.push('"items":[{"sku":"a","name":"n","quantity":1,"unit_price":"2.50"}]', '"amount":2.5');
    else members.push(`"amount":"${(cents / 100).toFixed(2)}"`);
  }
  if ("refund_reason" in event || "failure_reason" in event || "payment_id" in event)
    members.push('"refund_reason":"because"');
  return members.length === 0 ? text : `${text.slice(0, -1)},${members.join(",")}}`;
}

function deepNulls(value: unknown): unknown {
  // avsc gives null for an absent optional field; only record fields are absent, so a null in an array would stay.
  if (Array.isArray(value)) return value.map(deepNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, deepNulls(member)]),
  );
}

/** JSON with sorted keys: numbers kept as text compare as text, and -0 is 0. */
function canonical(value: unknown): string {
  if (JSON.isRawJSON(value) || typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`);
  return `{${members.sort().join(",")}}`;
}

for (const { contract, codec, plan } of topics) {
  const admitter = createAdmitter(contract, codec);
  const valid = recordFor(plan).map((record) => keepRules(textOf(record)));

  group(`admission of ${contract.topic}`, () => {
    it("accepts valid events, and the stored form rebuilds them", () => {
      fc.assert(
        fc.property(valid, (text) => {
          const output = createEventBuffer(16);
          const event = parseExactJson(text);
          const admission = admitter.admit(event, 3, { received: RECEIVED, suspectSurrogates: true, output });
          if (!admission.accepted) throw new Error(`${text}: ${JSON.stringify(admission.errors)}`);
          const envelope: Envelope = codec.envelope.fromBuffer(
            Buffer.from(output.slice(admission.start, admission.end)),
          );
          expect(envelope.index).toBe(3);
          const rebuilt = applyResidue(deepNulls(envelope.event), envelope.extra, envelope.lexical);
          expect(canonical(rebuilt)).toBe(canonical(parseExactJson(text)));
        }),
      );
    });

    it("refuses exactly the events that have an error to describe", () => {
      const names = [...plan.byName.keys()];
      const mutations = fc.array(
        fc.record({
          field: fc.constantFrom(...names, "unknown"),
          value: fc.oneof(
            fc.constantFrom(
              "1e999",
              "12345678901234567890",
              "0.1234567890123456789",
              "-1",
              "1.5",
              "1e15",
              "2147483648",
              "null",
              "{}",
              "[]",
            ),
            fc.constantFrom(
              '""',
              '"\\ud800"',
              '"9999999999999.99"',
              '"1.005"',
              '"2026-02-30T00:00:00Z"',
              '"2020-01-01T00:00:00Z"',
              '"9999-01-01T00:00:00Z"',
              "-4503599627370497",
              "9007199254740991",
            ),
            fc.constantFrom(
              '[{"sku":"a","name":"n","quantity":1,"unit_price":1,"z":{}}]',
              '[{"sku":"a"}]',
              "[1]",
              "true",
              `${"[".repeat(102)}${"]".repeat(102)}`,
            ),
            fc.json({ maxDepth: 2 }),
          ),
        }),
        { maxLength: 3 },
      );
      const judge = (unknownFields: "keep" | "reject", text: string): void => {
        const event = parseExactJson(text);
        const under = createAdmitter({ ...contract, unknownFields }, codec);
        const output = createEventBuffer(16);
        // `admit` itself throws if the check refuses an event without an error.
        const admission = under.admit(event, 0, { received: RECEIVED, suspectSurrogates: true, output });
        const window = {
          field: contract.eventTime,
          earliest: RECEIVED - (contract.eventTimeWindow?.pastMs ?? 0) * 1_000,
          latest: RECEIVED + (contract.eventTimeWindow?.futureMs ?? 0) * 1_000,
        };
        const demands = { topic: contract.topic, plan, unknownFields, rules: [], window };
        if (admission.accepted) expect(describe(parseExactJson(text), demands)).toEqual([]);
        else expect(admission.errors.length).toBeGreaterThan(0);
        const flags = compileCheck(plan, { eventMicros: 0 })(parseExactJson(text));
        if (flags & INVALID || (flags & UNKNOWN_FIELDS && unknownFields === "reject"))
          expect(admission.accepted).toBe(false);
      };
      fc.assert(
        fc.property(valid, mutations, fc.constantFrom("keep", "reject"), (text, changes, unknownFields) => {
          const members = changes.map(({ field, value }) => `${JSON.stringify(field)}:${value}`);
          judge(unknownFields, members.length === 0 ? text : `${text.slice(0, -1)},${members.join(",")}}`);
        }),
      );
    });
  });
}

group("bodies", () => {
  const spaces = fc.stringMatching(/^[ \t\r\n]{0,3}$/);
  const values = fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.constantFrom('"\\"],[{"', '{"a":"}"}', '"é€😀\\\\"', "12345678901234567890"),
  );

  it("find the bytes of every element of a JSON array", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(spaces, values, spaces), { minLength: 1 }), spaces, (elements, space) => {
        const text = `${space}[${elements.map((parts) => parts.join("")).join(",")}]${space}`;
        const bytes = new TextEncoder().encode(text);
        const body = decodeJson(bytes, 1_000);
        const found = body.events.map((_event, index) => {
          const { start, end } = body.spanOf(index);
          return new TextDecoder().decode(bytes.subarray(start, end));
        });
        expect(found).toEqual(elements.map(([, value]) => value));
        expect(body.events.map(canonical)).toEqual(elements.map(([, value]) => canonical(parseExactJson(value))));
      }),
    );
  });

  it("find the bytes of every line of NDJSON, and read each line alone", () => {
    const line = fc.oneof(values, fc.constantFrom('{"a":', "nonsense", "[1,2"), fc.stringMatching(/^[ \t]{0,2}$/));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.constantFrom("\n", "\r\n"), (lines, newline) => {
        const expected = lines.filter((text) => text.trim() !== "");
        fc.pre(expected.length > 0);
        const bytes = new TextEncoder().encode(lines.join(newline));
        const body = decodeNdjson(bytes, 1_000);
        expect(body.events).toHaveLength(expected.length);
        expected.forEach((text, index) => {
          const { start, end } = body.spanOf(index);
          expect(new TextDecoder().decode(bytes.subarray(start, end))).toBe(text);
          if (body.malformed.has(index)) expect(() => JSON.parse(text)).toThrow();
          else expect(canonical(body.events[index])).toBe(canonical(parseExactJson(text)));
        });
      }),
    );
  });
});
