/**
 * The byte pass against the pass over values: whatever a body holds, both give the same verdicts, ids, shards, bytes,
 * repeats and dead letters, and refuse the same bodies in the same words.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Contract } from "../../contracts/contract.ts";
import { contracts } from "../../contracts/registry.ts";
import { JsonInput } from "../../gateway/admit/byte-pass/byte-pass.ts";
import { compileTextPattern } from "../../gateway/admit/byte-pass/text-pattern.ts";
import { compilePlan, type ValuePlan } from "../../gateway/admit/plan.ts";
import { createTopicAdmitter, type TopicAdmitter } from "../../gateway/admit/topics.ts";
import { jsonBatches, jsonPieces } from "../../gateway/bodies/json.ts";
import { ndjsonBatches, ndjsonPieces } from "../../gateway/bodies/ndjson.ts";
import { type IngestRequest, judge } from "../../gateway/ingest.ts";
import { simulate } from "../../producers/simulators/plan.ts";
import { SIMULATED_TOPICS } from "../../producers/simulators/shop.ts";
import { codecsOf, type SchemaCodec } from "../../schemas/codecs.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";
import { parseExactJson } from "../../schemas/exact-json.ts";
import { formatTimestamp, parseTimestamp } from "../../schemas/time.ts";
import { arbitraryEvent } from "../oracle/arbitrary-event.ts";
import { changedText } from "../oracle/changed-json.ts";
import { inChunks, utf8 } from "../oracle/event-batches.ts";
import { everything } from "../oracle/everything.ts";

const RECEIVED = 1_795_262_400_000_000;
/** Some bodies have more. */
const MAX_EVENTS = 9;

interface Topic {
  readonly contract: Contract;
  readonly codecs: readonly SchemaCodec[];
}

const posted: Topic[] = contracts
  .filter((contract) => !contract.platformOnly)
  .map((contract) => ({ contract, codecs: codecsOf(contract.topic) }));
const everyType: Topic = { contract: { ...everything.contract, shards: 4 }, codecs: [everything.codec] };

/** The events that a topic's simulated producers send. */
function simulated(topic: string): string[] {
  const name = SIMULATED_TOPICS.find((each) => each === topic);
  if (name === undefined) return [];
  const endMs = RECEIVED / 1_000;
  const window = { startMs: endMs - 3_600_000, endMs };
  const rates = { faultRate: 0, duplicateRate: 0, lateRate: 0 };
  return Array.from(simulate({ seed: 7, topics: [name], events: 120, ...window, ...rates }), ({ line }) => line);
}

/** A value in the form that a column would give back, without what its schema does not know. */
function canonical(value: unknown, plan: ValuePlan): unknown {
  if (plan.kind === "timestamp") return formatTimestamp(parseTimestamp(String(value)) ?? 0);
  if (plan.kind === "decimal" || plan.kind === "double") return Number(JSON.isRawJSON(value) ? value.rawJSON : value);
  if (plan.kind === "array" && Array.isArray(value)) return value.map((item) => canonical(item, plan.item));
  if (plan.kind !== "record" || !isJsonObject(value)) return value;
  const members = plan.fields
    .filter(({ name }) => Object.hasOwn(value, name) && value[name] !== null)
    .map(({ name, value: field }) => [name, canonical(value[name], field)]);
  return Object.fromEntries(members);
}

/** What became of a request, as far as anybody can see it. */
async function outcome(admitter: TopicAdmitter, batches: IngestRequest["batches"], schemaVersion: number | null) {
  const request = {
    requestId: "r",
    producer: "p",
    received: RECEIVED,
    masker: null,
    maxEvents: MAX_EVENTS,
    sizeHint: 0,
  };
  try {
    const { accepted, buffer, refusals, ...judged } = await judge({ ...request, admitter, batches, schemaVersion });
    const bytes = accepted.map(({ start, end, ...event }) => ({
      ...event,
      bytes: Buffer.from(buffer.slice(start, end)).toString("hex"),
    }));
    const letters = refusals.map(({ payload, ...refusal }) => ({
      ...refusal,
      payload: { ...payload, bytes: Buffer.from(payload.bytes).toString("hex") },
    }));
    return { ...judged, accepted: bytes, refusals: letters };
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : error;
  }
}

const flips = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 2 });

/** The body with some bytes replaced, and maybe cut off. */
function damaged(body: Uint8Array, replaced: readonly (readonly [number, number])[], cut: number | null): Uint8Array {
  for (const [at, byte] of replaced) body[at % Math.max(1, body.length)] = byte;
  return cut === null ? body : body.subarray(0, cut % (body.length + 1));
}

for (const { contract, codecs } of [...posted, everyType]) {
  const admitter = createTopicAdmitter(contract, codecs);
  const byBytes = createTopicAdmitter(contract, codecs);
  const plans = codecs.map(({ schema }) => compilePlan(contract, schema));
  const plan = plans.at(-1);
  if (plan === undefined) throw new Error(`${contract.topic} has no schema`);
  const lines = simulated(contract.topic);
  const any = fc.oneof(...plans.map((each) => arbitraryEvent(each, RECEIVED)));
  // Of the current version alone: an event of another may have fields that its own does not know.
  const clean = arbitraryEvent(plan, RECEIVED).map((text) => {
    const event = canonical(parseExactJson(text), { ...plan, rule: "", accepted: null, disclosure: "any" });
    return JSON.stringify(event, (key, value) => (key === "schema_version" ? codecs.at(-1)?.version : value));
  });
  const shuffled = fc.tuple(clean, fc.infiniteStream(fc.nat())).map(([text, random]) => {
    const members = Object.entries(JSON.parse(text)).map((member) => ({ member, order: random.next().value ?? 0 }));
    return JSON.stringify(Object.fromEntries(members.sort((a, b) => a.order - b.order).map(({ member }) => member)));
  });
  const valid = fc.oneof(...(lines.length === 0 ? [] : [fc.constantFrom(...lines)]), clean, shuffled, any);
  // A few of the same, so that keys repeat.
  const elements = fc
    .tuple(fc.array(changedText(valid, 2), { maxLength: 4 }), fc.array(valid, { maxLength: 4 }), fc.nat(3))
    .map(([changed, others, again]) => [...others, ...changed, ...others.slice(0, again)]);

  describe(`the byte pass of ${contract.topic}`, () => {
    it.skipIf(admitter.pii || lines.length === 0)("takes what its producers send", () => {
      const output = createEventBuffer(16);
      const take = byBytes.taker(null, { received: RECEIVED, output });
      for (const line of lines) {
        expect(take?.(new JsonInput(utf8(`${line}\n`)), 0, 0)?.end, line).toBe(utf8(line).length);
      }
    });

    it.skipIf(admitter.pii)(
      "takes events in the form that columns give back, whatever the order of their members",
      () => {
        fc.assert(
          fc.property(fc.oneof(clean, shuffled), (text) => {
            const output = createEventBuffer(16);
            const context = { received: RECEIVED, suspectSurrogates: false, output, masker: null };
            const admission = admitter.admit(JSON.parse(text), 5, null, { ...context, suspectSurrogates: true });
            const written = Buffer.from(output.slice(0, output.at)).toString("hex");
            output.at = 0;
            const taken = byBytes.taker(null, context)?.(new JsonInput(utf8(`${text},`)), 0, 5);
            expect(taken?.admission).toEqual(admission);
            expect(Buffer.from(output.slice(0, output.at)).toString("hex")).toBe(written);
          }),
        );
      },
    );

    it.skipIf(admitter.pii)("gives the verdicts of the other pass for arrays, lines and objects", async () => {
      const body = fc.record({
        elements,
        form: fc.constantFrom("array", "lines", "object"),
        separator: fc.constantFrom(",", " , ", ",\n"),
        replaced: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: flips }),
        cut: fc.option(fc.nat(), { freq: 5 }),
        pieceBytes: fc.constantFrom(0, 300, 32_000),
        version: fc.constantFrom(null, 1, 2),
      });
      await fc.assert(
        fc.asyncProperty(body, async ({ elements, form, separator, replaced, cut, pieceBytes, version }) => {
          const text =
            form === "array"
              ? `[${elements.join(separator)}]`
              : form === "lines"
                ? elements.join("\n")
                : (elements[0] ?? "");
          const bytes = damaged(utf8(text), replaced, cut);
          const sizes = { pieceBytes, groupBytes: 1_000 };
          const [fast, other] =
            form === "lines"
              ? [ndjsonPieces(inChunks(bytes, [pieceBytes])), ndjsonBatches(inChunks(bytes, [pieceBytes]))]
              : [jsonPieces(bytes, sizes), jsonBatches(bytes, sizes)];
          expect(await outcome(byBytes, fast, version)).toEqual(await outcome(admitter, other, version));
        }),
        { numRuns: 300 },
      );
    });
  });
}

describe("a pattern on bytes", () => {
  const patterns = [
    ...new Set(JSON.stringify(contracts).match(/"pattern":"(?:[^"\\]|\\.)*"/g)),
    ...[
      "^a{2,3}b",
      "^a{0,2}a$",
      "^[a-c]{1,2}[c-e]{1,2}$",
      "^[0-9]{1,3}\\.[0-9]{2}$",
      "^\\$[a-z-]{2}$",
      "^",
      "^$",
      "a",
      "^a|b$",
    ].map((pattern) => `"pattern":${JSON.stringify(pattern)}`),
  ].map((member): { pattern: string } => JSON.parse(`{${member}}`));

  for (const { pattern } of patterns) {
    it(`is ${pattern}`, () => {
      const expected = new RegExp(pattern, "u");
      const matches = compileTextPattern(expected);
      const near = fc.stringMatching(expected).filter((text) => /^[\x20-\x7e]*$/.test(text));
      const text = fc.oneof(
        near,
        fc.tuple(near, fc.nat(), fc.string({ maxLength: 2 }), fc.nat(2)).map(([text, at, put, cut]) => {
          const position = at % (text.length + 1);
          return text.slice(0, position) + put + text.slice(position + cut);
        }),
        fc.string({ unit: fc.constantFrom("a", "b", "c", "d", "0", "1", ".", "-", "_", "A", "/") }),
      );
      fc.assert(
        fc.property(text, (text) => {
          const bytes = utf8(`"${text}"`);
          expect(matches(bytes, 1, bytes.length - 1)).toBe(expected.test(text));
        }),
        { numRuns: 300 },
      );
    });
  }
});
