/**
 * Admission, for random events of every topic that producers post to: the fast pass and the description agree; what is
 * accepted can be rebuilt from what is stored.
 */
import fc from "fast-check";
import { expect, describe as group, it } from "vitest";
import { contracts } from "../../contracts/registry.ts";
import { createAdmitter } from "../../gateway/admit/admitter.ts";
import { compileCheckedWriter } from "../../gateway/admit/checked-writer.ts";
import { describe } from "../../gateway/admit/describe.ts";
import { INVALID, UNKNOWN_FIELDS } from "../../gateway/admit/fast-pass.ts";
import { compilePlan } from "../../gateway/admit/plan.ts";
import { codecById, type Envelope } from "../../schemas/codecs.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import { applyResidue } from "../../schemas/event-residue.ts";
import { isRawNumber, parseExactJson } from "../../schemas/exact-json.ts";
import { arbitraryEvent, canonicalJson } from "../oracle/arbitrary-event.ts";
import { everything } from "../oracle/everything.ts";
import { localMasker, storedForm } from "../oracle/local-masker.ts";
import { oddTopics } from "../oracle/odd-topics.ts";

const RECEIVED = 1_795_262_400_000_000;

const shop = contracts
  .filter((contract) => !contract.platformOnly)
  .map((contract) => {
    const codec = codecById(contract.schemas.at(-1)?.id ?? 0);
    if (codec === undefined) throw new Error(`${contract.topic} has no codec`);
    return { contract, codec };
  });

const topics = [...shop, everything, ...oddTopics].map(({ contract, codec }) => ({
  contract,
  codec,
  plan: compilePlan(contract, codec.schema),
}));

function deepNulls(value: unknown): unknown {
  if (isRawNumber(value)) return value;
  // avsc gives null for an absent optional field; only record fields are absent, so a null in an array would stay.
  if (Array.isArray(value)) return value.map(deepNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([key, member]) => [key, deepNulls(member)]),
  );
}

const masker = localMasker();

for (const { contract, codec, plan } of topics) {
  const admitter = createAdmitter(contract, codec);
  const valid = arbitraryEvent(plan, RECEIVED, contract);

  group(`admission of ${contract.topic}`, () => {
    it("accepts valid events, and the stored form rebuilds them", () => {
      fc.assert(
        fc.property(valid, (text) => {
          const output = createEventBuffer(16);
          const event = parseExactJson(text);
          const admission = admitter.admit(event, 3, { received: RECEIVED, suspectSurrogates: true, output, masker });
          if (!admission.accepted) throw new Error(`${text}: ${JSON.stringify(admission.errors)}`);
          const envelope: Envelope = codec.envelope.fromBuffer(
            Buffer.from(output.slice(admission.start, admission.end)),
          );
          expect(envelope.index).toBe(3);
          const rebuilt = applyResidue(deepNulls(envelope.event), envelope.extra, envelope.lexical);
          expect(canonicalJson(rebuilt)).toBe(canonicalJson(storedForm(parseExactJson(text), plan)));
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
        const admission = under.admit(event, 0, { received: RECEIVED, suspectSurrogates: true, output, masker });
        const reach = contract.eventTimeWindow;
        const window =
          reach === null
            ? null
            : {
                field: contract.eventTime,
                earliest: RECEIVED - reach.pastMs * 1_000,
                latest: RECEIVED + reach.futureMs * 1_000,
              };
        const demands = { topic: contract.topic, plan, unknownFields, rules: [], window };
        if (admission.accepted) expect(describe(parseExactJson(text), demands)).toEqual([]);
        else expect(admission.errors.length).toBeGreaterThan(0);
        const write = compileCheckedWriter(plan, { eventMicros: 0, eventStart: 0, keyStart: -1, masker });
        const flags = write(parseExactJson(text), createEventBuffer(16));
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
