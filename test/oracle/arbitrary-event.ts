/**
 * Random valid events of a topic as JSON texts: every optional field absent, null or there, unknown and hostile fields,
 * times and decimals in any form that is allowed.
 */
import fc from "fast-check";
import type { Contract } from "../../contracts/contract.ts";
import { exampleText } from "../../contracts/patterns/example-text.ts";
import { acceptedText, type RecordPlan, type ValuePlan } from "../../gateway/admit/plan.ts";
import { compileRules } from "../../gateway/admit/record-rules.ts";
import { decimalText } from "../../lakehouse/engine/columns/value.ts";
import { jsonFromInteger, parseExactJson } from "../../schemas/exact-json.ts";
import { formatTimestamp } from "../../schemas/time.ts";

type Of = Pick<Contract, "rules" | "fields" | "unknownFields" | "eventTimeWindow">;

/** Without a contract: one that keeps unknown fields, and has a wide window and the rules that `keepRules` knows. */
const ANY: Of = { rules: [], fields: [], unknownFields: "keep", eventTimeWindow: null };

/**
 * Events that admission accepts when they are received at `received` (microseconds since the epoch). Whatever rules a contract
 * has: those of the shop are kept on purpose, and events that break another are left out.
 */
export function arbitraryEvent(plan: RecordPlan, received: number, contract: Of = ANY): fc.Arbitrary<string> {
  const rules = compileRules(contract, plan);
  const window = contract.eventTimeWindow ?? { pastMs: 3_600_000, futureMs: 60_000 };
  const near = { received, past: Math.min(3_600_000, window.pastMs), future: Math.min(60_000, window.futureMs) };
  return recordFor(plan, near, contract.unknownFields === "keep")
    .map((record) => keepRules(textOf(record)))
    .filter((text) => rules.every((rule) => rule.violation(parseExactJson(text)) === null));
}

interface Near {
  readonly received: number;
  /** Milliseconds before and after it. */
  readonly past: number;
  readonly future: number;
}

/** A time near the reception in one of the forms that RFC 3339 allows. */
const timesNear = ({ received, past, future }: Near) =>
  fc
    .tuple(
      // The forms below may add a second's fraction, or take it away.
      fc.integer({ min: Math.min(1_000 - past, 0), max: Math.max(future - 1_000, 0) }),
      fc.constantFrom("Z", "z", "+00:00", "micros", "nanos", "picos", "plain"),
    )
    .map(([offset, form]) => {
      const text = formatTimestamp(received + offset * 1_000);
      if (offset === 0) return text;
      if (form === "micros") return text.replace("Z", "456Z");
      if (form === "picos") return text.replace("Z", "456789123456Z");
      if (form === "nanos") return text.replace("Z", "456789Z");
      return form === "plain" ? text.replace(/\.\d+/, "") : text.replace("Z", form);
    });

function textMatching(source: string): fc.Arbitrary<string> {
  try {
    return fc.stringMatching(new RegExp(source, "u"));
  } catch {
    // fast-check does not know all of a pattern's syntax, such as lookaheads and properties.
    const text = exampleText(source, { minLength: 0, maxLength: 100 });
    if (text === undefined) throw new Error(`no text was found for ${source}`);
    return fc.constant(text);
  }
}

function textFor(plan: ValuePlan & { kind: "string" }): fc.Arbitrary<unknown> {
  if (plan.pattern !== null) {
    // Anchored at its start only, a pattern leaves the rest free.
    if (plan.pattern.source === "^/") return fc.string({ maxLength: 20 }).map((text) => `/${text}`);
    return textMatching(plan.pattern.source);
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

/** Any integer of the type and bounds; beyond a double's digits as its text. */
function integerFor(plan: ValuePlan & { kind: "integer" }): fc.Arbitrary<unknown> {
  const min = plan.minimum === null ? plan.lowest : BigInt(plan.minimum);
  const max = plan.maximum === null ? plan.highest : BigInt(plan.maximum);
  const near = fc.maxSafeInteger().map((value) => (value < min ? min : value > max ? max : BigInt(value)));
  return fc.oneof(near, fc.bigInt({ min, max })).map(jsonFromInteger);
}

/** A decimal as a number or a text, with zeros behind it, or with all the digits that its precision has. */
function decimalFor(plan: ValuePlan & { kind: "decimal" }): fc.Arbitrary<unknown> {
  const short = fc
    .tuple(numberFor(plan, plan.scale), fc.constantFrom("number", "text", "padded", "digits"))
    .map(([value, form]) => {
      if (form === "number") return value;
      if (form === "digits") return JSON.rawJSON(value.toFixed(Math.max(plan.scale, 1)));
      return form === "text" ? String(value) : value.toFixed(plan.scale + 3);
    });
  if (plan.least !== null || plan.most !== null) return short;
  const max = 10n ** BigInt(plan.precision) - 1n;
  const long = fc.tuple(fc.bigInt({ min: -max, max }), fc.boolean()).map(([unscaled, isText]) => {
    const text = decimalText(unscaled, plan.scale);
    return isText ? text : JSON.rawJSON(text);
  });
  return fc.oneof(short, long);
}

/** An accepted value as JSON has it. */
function jsonOf(kind: ValuePlan["kind"], text: string): unknown {
  if (kind === "boolean") return text === "true";
  return kind === "integer" || kind === "double" || kind === "decimal" ? parseExactJson(text) : text;
}

function valueFor(plan: ValuePlan, near: Near): fc.Arbitrary<unknown> {
  if (plan.accepted !== null) {
    const values = [...plan.accepted].map((text) => jsonOf(plan.kind, text));
    return fc.constantFrom(...values).filter((value) => acceptedText(plan.kind, value) !== undefined);
  }
  switch (plan.kind) {
    case "string":
      return textFor(plan);
    case "integer":
      return integerFor(plan);
    case "double":
      // An exact one, or a text that stands for its nearest double; JSON.stringify writes both as they are.
      return plan.minimum === null && plan.maximum === null
        ? fc.oneof(
            fc.double({ noDefaultInfinity: true, noNaN: true }),
            fc.constant(JSON.rawJSON("0.30000000000000000004")),
          )
        : numberFor(plan, 3);
    case "decimal":
      return decimalFor(plan);
    case "boolean":
      return fc.boolean();
    case "date":
      return fc.constantFrom("2026-11-21", "2024-02-29");
    case "timestamp":
      return timesNear(near);
    case "array":
      return fc.array(valueFor(plan.item, near), {
        minLength: plan.minItems,
        maxLength: Math.min(plan.maxItems, 5),
      });
    case "record":
      return recordFor(plan, near, true);
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

function recordFor(plan: RecordPlan, near: Near, open: boolean): fc.Arbitrary<Record<string, unknown>> {
  const fields = plan.fields.map(({ name, required, value }) => {
    // The version decides the schema; a random one would only test UNKNOWN_SCHEMA.
    if (name === "schema_version") return fc.constantFrom([name, 1], [name, null], null);
    const present = valueFor(value, near).map((each) => [name, each] as const);
    return required ? present : fc.oneof(present, fc.constant(null), fc.constant([name, null] as const));
  });
  return fc.tuple(fc.tuple(...fields), open ? unknownTexts : fc.constant({})).map(([entries, unknown]) => {
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

/** Rules hold for few random events: amounts and items are made to agree, refunds get a reason, images fit their operation. */
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
  if ("menu_items" in event) members.push('"is_open":false');
  if ("tier" in event) members.push('"status":"active"');
  if ("platform" in event) members.push('"platform":"web"', '"event_name":"tap"');
  if ("campaign_id" in event) {
    const sold = "revenue" in event && event.revenue !== null;
    members.push(`"event_type":"${sold ? "conversion" : "click"}"`);
  }
  if ("lsn" in event) members.push(...orderImages(event));
  if ("source_kind" in event) {
    const kind = Object.entries(event).find(
      ([name, value]) => ["maps", "social", "market"].includes(name) && typeof value === "object" && value !== null,
    )?.[0];
    members.push(`"source_kind":"${kind ?? "social"}"`);
    if (kind === undefined) members.push('"social":{"keyword":"k","mentions":1}');
  }
  return members.length === 0 ? text : `${text.slice(0, -1)},${members.join(",")}}`;
}

/** The operation that fits the images that an order change has, and images of its order. One without both becomes an insert. */
function orderImages(event: object): string[] {
  const before = "before" in event ? event.before : null;
  const after = "after" in event ? event.after : null;
  const had = typeof before === "object" && before !== null;
  const has = typeof after === "object" && after !== null;
  const image = (row: object, status: string) => JSON.stringify({ ...row, order_id: "ord_abc123", status });
  const row = { customer_id: "c", currency: "EUR", amount: 1, channel: "web", updated_at: "2026-11-21T00:00:00.000Z" };
  return [
    '"order_id":"ord_abc123"',
    `"op":"${had ? (has ? "update" : "delete") : "insert"}"`,
    ...(had ? [`"before":${image(before, "placed")}`] : []),
    ...(has ? [`"after":${image(after, had ? "confirmed" : "placed")}`] : []),
    ...(had || has ? [] : [`"after":${image(row, "placed")}`]),
  ];
}

/** JSON with sorted keys: numbers kept as text compare as text, and -0 is 0. */
export function canonicalJson(value: unknown): string {
  if (JSON.isRawJSON(value) || typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.sort().join(",")}}`;
}
