/** Personal data that a search finds wherever it leaks to: no masked, sealed or hashed value holds these by chance. */
import fc from "fast-check";
import type { RecordPlan, ValuePlan } from "../../../gateway/admit/plan.ts";

export const CANARY = "cAnArY-bird";
/** For numbers: too long for an index, a size or a time. */
export const CANARY_NUMBER = 77_123_400_567_891;

/** Where a canary stands in a text or in bytes, also in base64; null: nowhere. */
export function leakIn(content: string | Uint8Array): string | null {
  const text = typeof content === "string" ? content : Buffer.from(content).toString("latin1");
  for (const needle of needles) {
    const at = text.indexOf(needle);
    if (at >= 0) return `${needle} in …${text.slice(Math.max(0, at - 120), at + 60)}…`;
  }
  return null;
}

// Base64 of a text depends on where it begins modulo three: the inner characters of all three are looked for.
const needles = [
  CANARY,
  String(CANARY_NUMBER),
  ...[0, 1, 2].map((before) =>
    Buffer.from(`${"x".repeat(before)}${CANARY}`)
      .toString("base64")
      .slice(4, 12),
  ),
];

const canaries = fc.constantFrom(
  CANARY,
  `${CANARY}@example.com`,
  `x ${CANARY} \u{1f426} "\\`,
  `+46${CANARY}`,
  `sluice:hmac:v1:${CANARY}`,
  `sluice:aes:v1:1:${CANARY}`,
  `${CANARY}\ud800`,
);

const wellFormed: fc.Arbitrary<unknown> = canaries
  .filter((canary) => canary.isWellFormed())
  .map((canary) => [{ [canary]: canary }]);

/** Anything that holds personal data where no personal data is expected. */
const hidden: fc.Arbitrary<unknown> = fc.oneof(
  canaries,
  fc.constant(CANARY_NUMBER),
  canaries.map((canary) => [canary]),
  canaries.map((canary) => ({ [canary]: canary, nested: [{ value: canary }] })),
);

/** Any value of a masked field: right or wrong, it is personal data. */
function masked(wrong: Wrong) {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant(`${CANARY}@Example.com`) },
    { weight: wrong, arbitrary: hidden },
    { weight: wrong, arbitrary: fc.constantFrom(CANARY, "", null) },
  );
}

/** How often a value is wrong, as a weight. */
type Wrong = 0 | 1;

/**
 * Events of a topic with masked fields, half of them wrong in any way, with canaries in every place that may hold personal
 * data: masked fields, unknown fields and their names, whatever stands where an object or array belongs. `clear` gives
 * right values of fields that are not masked, by name.
 */
export function eventsWithCanaries(plan: RecordPlan, clear: Readonly<Record<string, unknown>>): fc.Arbitrary<string> {
  const right = recordOf(plan, clear, 0);
  return fc.oneof(right, recordOf(plan, clear, 1)).map((record) => JSON.stringify(record));
}

function recordOf(
  plan: RecordPlan,
  clear: Readonly<Record<string, unknown>>,
  wrong: Wrong,
): fc.Arbitrary<Record<string, unknown>> {
  const fields = plan.fields.map(({ name, value, required }) =>
    fc.oneof(
      { weight: 12, arbitrary: fieldValue(value, clear[name], clear, wrong) },
      { weight: required ? wrong : 2, arbitrary: fc.constant(undefined) },
    ),
  );
  const unknown = fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(fc.constantFrom("note", CANARY, "_extra", "__proto__"), wrong ? hidden : wellFormed, {
        maxKeys: 2,
      }),
    },
  );
  return fc
    .tuple(fc.tuple(...fields), unknown)
    .map(([values, more]) => ({ ...Object.fromEntries(plan.fields.map(({ name }, i) => [name, values[i]])), ...more }));
}

function fieldValue(
  plan: ValuePlan,
  right: unknown,
  clear: Readonly<Record<string, unknown>>,
  wrong: Wrong,
): fc.Arbitrary<unknown> {
  switch (plan.kind) {
    case "record":
      return fc.oneof({ weight: 6, arbitrary: recordOf(plan, clear, wrong) }, { weight: wrong, arbitrary: hidden });
    case "array":
      return fc.oneof(
        { weight: 6, arbitrary: fc.array(fieldValue(plan.item, right, clear, wrong), { maxLength: 3 }) },
        { weight: wrong, arbitrary: hidden },
      );
    default: {
      if (plan.kind === "string" && plan.masking !== null) return masked(wrong);
      return fc.oneof(
        { weight: 20, arbitrary: fc.constant(right) },
        { weight: wrong, arbitrary: fc.constantFrom<unknown>(-1, 41, 1e300, "not right", true, null) },
        { weight: wrong, arbitrary: hidden.filter((value) => typeof value === "object") },
      );
    }
  }
}
