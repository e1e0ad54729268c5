/** Gateway CPU per event: decode, admit and encode, against `JSON.parse` of the same bytes (docs/benchmarks.md). */

import { admitterOf } from "../../gateway/admit/topics.ts";
import { admitFrom } from "../../gateway/admit-from.ts";
import { jsonBatches } from "../../gateway/bodies/json.ts";
import { judge } from "../../gateway/ingest.ts";
import { readMaskingKeys } from "../../gateway/masking/keyring.ts";
import { createMasker } from "../../gateway/masking/masker.ts";
import { simulate } from "../../producers/simulators/plan.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import { type Bench, median } from "./bench.ts";

const EVENTS = 500;
const ROUNDS = 25;
const REPEATS = 10;
const BUDGET = 1.9;
const HOSTILE_BUDGET = 20;

export const bench: Bench = {
  explanation: `Decodes, admits and encodes ${EVENTS} valid simulated events in one JSON array, and turns the same bytes into values with
TextDecoder and JSON.parse, in turns: ${ROUNDS} rounds of ${REPEATS} each, medians of the process' CPU time. The ratio is the worst of orders,
clickstream, and the same orders as other producers write them: members in another order in each (shuffled), and as Python's json.dumps
does (spaced); budget ${BUDGET}. Beside it, by stage: JSON.parse of a text that is already there (text), with its decoding (bytes: what
is judged against), reading the body and admitting and encoding its events (accept), the whole request's verdicts with ids and
repeated keys (request).
Apart: orders with a field that the schema does not know, in a tenth and in all of them; users, with four masked fields; and
orders with every field of a wrong type, whose budget is ${HOSTILE_BUDGET} times the parse.`,
  async run(log) {
    const figures: Record<string, number> = {};
    for (const topic of ["orders", "clickstream", "users"] as const) {
      const costs = await measure(topic, validLines(topic), true);
      figures[topic] = costs.accept / costs.bytes;
      figures[`${topic}_to_text`] = costs.accept / costs.text;
      figures[`${topic}_request`] = costs.request / costs.bytes;
      report(log, topic, costs);
    }
    for (const [name, write] of Object.entries(OTHER_ORDERS)) {
      const costs = await measure("orders", validLines("orders").map(write), true);
      figures[`orders_${name}`] = costs.accept / costs.bytes;
      report(log, `orders, ${name}`, costs);
    }
    const wrong = validLines("orders").map((line) => JSON.stringify(wronglyTyped(JSON.parse(line))));
    const costs = await measure("orders", wrong, false);
    const hostile = costs.accept / costs.bytes;
    report(log, "orders, all fields wrong", costs);
    const ratio = Math.max(...IN_BUDGET.map((name) => figures[name] ?? Number.NaN));
    const ok = ratio <= BUDGET && hostile <= HOSTILE_BUDGET;
    const judged = "decode + admit + encode / (TextDecoder + JSON.parse)";
    return { ratio, budget: BUDGET, ok, judged, hostile, hostile_budget: HOSTILE_BUDGET, ...figures };
  },
};

/** The figures whose worst is judged: every way of writing events of a schema in JSON. */
const IN_BUDGET = ["orders", "clickstream", "orders_shuffled", "orders_spaced"];

/** The same orders as others would write them. */
const OTHER_ORDERS: Readonly<Record<string, (line: string, index: number) => string>> = {
  /** Members in an order that no other event has: what is learned of one event is wrong for the next. */
  shuffled(line, index) {
    const members = Object.entries(JSON.parse(line)).map((member, at) => ({
      member,
      rank: ((index + 2) * (at + 3)) % 17,
    }));
    return JSON.stringify(Object.fromEntries(members.sort((a, b) => a.rank - b.rank).map(({ member }) => member)));
  },
  /** As Python's `json.dumps` does: spaces between tokens, and escapes for what is not ASCII. */
  spaced(line) {
    const text = JSON.stringify(JSON.parse(line), null, 1).replaceAll(/(,?)\n */g, (_all, comma) =>
      comma === "" ? "" : ", ",
    );
    return text.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
  },
  /** Every tenth with a field that the schema does not know, so that a value is made of it. */
  tenth_unknown: (line, index) => (index % 10 === 9 ? withUnknownField(line) : line),
  /** All of them with such a field. */
  all_unknown: withUnknownField,
};

function withUnknownField(line: string): string {
  return `${line.slice(0, -1)},"campaign":"autumn"}`;
}

/** CPU milliseconds per event. */
interface Costs {
  /** `JSON.parse` of the body as a text. */
  readonly text: number;
  /** The same with TextDecoder in front of it. */
  readonly bytes: number;
  /** Every step between the body and the bytes that are stored: reading, admission, encoding. */
  readonly accept: number;
  /** `judge`: that, and what a request keeps of its events for the answer. */
  readonly request: number;
  readonly bytesPerEvent: number;
}

function report(log: (line: string) => void, name: string, costs: Costs): void {
  const us = (ms: number) => `${(ms * 1e3).toFixed(2)} us`;
  const ratio = (baseline: number) => (costs.accept / baseline).toFixed(2);
  log(
    `${name}, ${costs.bytesPerEvent} bytes an event: ${ratio(costs.bytes)} times bytes, ${ratio(costs.text)} times text`,
  );
  log(`  text ${us(costs.text)}, bytes ${us(costs.bytes)}`);
  log(`  accept ${us(costs.accept)}, request ${us(costs.request)}`);
}

function validLines(topic: "orders" | "clickstream" | "users"): string[] {
  const now = Date.now();
  const events = simulate({
    seed: 7,
    topics: [topic],
    events: EVENTS,
    startMs: now - 3_600_000,
    endMs: now,
    faultRate: 0,
    duplicateRate: 0,
    lateRate: 0,
  });
  return [...events].map((event) => event.line);
}

/** The same fields with values of another type, nested ones too. */
function wronglyTyped(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wronglyTyped);
  if (typeof value !== "object" || value === null) return typeof value === "string" ? 1 : "wrong";
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, wronglyTyped(member)]));
}

type Step = "text" | "bytes" | "accept" | "request";

async function measure(topic: string, lines: readonly string[], valid: boolean): Promise<Costs> {
  const body = new TextEncoder().encode(`[${lines.join(",")}]`);
  const steps = stepsOf(topic, body, valid);
  const rounds: Record<Step, number>[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({
      text: await cpuOf(steps.text),
      bytes: await cpuOf(steps.bytes),
      accept: await cpuOf(steps.accept),
      request: await cpuOf(steps.request),
    });
  }
  const cost = (step: Step) => median(rounds.map((round) => round[step])) / lines.length;
  return {
    text: cost("text"),
    bytes: cost("bytes"),
    accept: cost("accept"),
    request: cost("request"),
    bytesPerEvent: Math.round(body.byteLength / lines.length),
  };
}

/** What is measured, each for the whole body; throws where a verdict is not the expected one. */
function stepsOf(topic: string, body: Uint8Array, valid: boolean): Record<Step, () => unknown> {
  const admitter = admitterOf(topic);
  if (admitter === undefined) throw new Error(`topic ${topic} is not compiled`);
  const keys = readMaskingKeys({}, true);
  if (!keys.ok) throw new Error(keys.reason);
  const masker = createMasker(keys, (length) => crypto.getRandomValues(new Uint8Array(length)));
  const received = Date.now() * 1_000;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const text = decoder.decode(body);
  const expect = (isExpected: boolean): void => {
    if (!isExpected) throw new Error(`${topic}: the verdict is not what the bench expects`);
  };
  return {
    text: () => JSON.parse(text),
    bytes: () => JSON.parse(decoder.decode(body)),
    accept() {
      const output = createEventBuffer(body.byteLength);
      let index = 0;
      for (const batch of jsonBatches(body)) {
        const context = { received, suspectSurrogates: batch.suspectSurrogates, output, masker };
        for (const position of batch.events.keys())
          expect(admitFrom(batch, position, index++, admitter, null, context).accepted === valid);
      }
      expect(index === EVENTS);
    },
    async request() {
      const { refusals } = await judge({
        admitter,
        requestId: "request",
        producer: "bench",
        received,
        schemaVersion: null,
        masker,
        batches: jsonBatches(body),
        maxEvents: EVENTS,
        sizeHint: body.byteLength,
      });
      expect(refusals.length === (valid ? 0 : EVENTS));
    },
  };
}

/** Milliseconds of CPU, the collector's threads included: what else runs on the machine counts less than on a clock. */
async function cpuOf(work: () => unknown): Promise<number> {
  const start = process.cpuUsage();
  for (let i = 0; i < REPEATS; i++) await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e3 / REPEATS;
}
