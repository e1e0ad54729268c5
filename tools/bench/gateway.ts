/** Gateway CPU per event: decode, admit and encode, against `JSON.parse` of the same bytes (docs/benchmarks.md). */

import { admitterOf } from "../../gateway/admit/topics.ts";
import { jsonBatches } from "../../gateway/bodies/json.ts";
import { readMaskingKeys } from "../../gateway/masking/keyring.ts";
import { createMasker } from "../../gateway/masking/masker.ts";
import { simulate } from "../../producers/simulators/plan.ts";
import { createEventBuffer } from "../../schemas/event-buffer.ts";
import { type Bench, median } from "./bench.ts";

const EVENTS = 500;
const ROUNDS = 15;
const REPEATS = 20;
const BUDGET = 1.6;
const HOSTILE_BUDGET = 20;

export const bench: Bench = {
  explanation: `Decodes, admits and encodes ${EVENTS} valid simulated events in one JSON array, and turns the same bytes into values with
TextDecoder and JSON.parse, in turns: ${ROUNDS} rounds of ${REPEATS} each, medians. The ratio is the worse of orders and clickstream; budget ${BUDGET}.
Apart: users, with four masked fields; and orders with every field of a wrong type, whose budget is ${HOSTILE_BUDGET} times the parse.`,
  async run(log) {
    const figures: Record<string, number> = {};
    for (const topic of ["orders", "clickstream", "users"] as const) {
      const { parse, whole, bytes } = measure(topic, validLines(topic), true);
      figures[topic] = whole / parse;
      report(log, topic, bytes, parse, whole);
    }
    const hostile = validLines("orders").map((line) => JSON.stringify(wronglyTyped(JSON.parse(line))));
    const { parse, whole, bytes } = measure("orders", hostile, false);
    figures["hostile"] = whole / parse;
    report(log, "orders, all fields wrong", bytes, parse, whole);
    const ratio = Math.max(figures["orders"] ?? Number.NaN, figures["clickstream"] ?? Number.NaN);
    const ok = ratio <= BUDGET && figures["hostile"] <= HOSTILE_BUDGET;
    return { ratio, budget: BUDGET, ok, hostile_budget: HOSTILE_BUDGET, ...figures };
  },
};

function report(log: (line: string) => void, name: string, bytes: number, parse: number, whole: number): void {
  const us = (ms: number) => `${(ms * 1e3).toFixed(2)} us`;
  log(
    `${name}: ${bytes} bytes an event; parse ${us(parse)}, decode + admit + encode ${us(whole)}: ratio ${(whole / parse).toFixed(2)}`,
  );
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

/** Milliseconds per event. */
function measure(
  topic: string,
  lines: readonly string[],
  valid: boolean,
): { parse: number; whole: number; bytes: number } {
  const admitter = admitterOf(topic);
  if (admitter === undefined) throw new Error(`topic ${topic} is not compiled`);
  const body = new TextEncoder().encode(`[${lines.join(",")}]`);
  const received = Date.now() * 1_000;
  const keys = readMaskingKeys({}, true);
  if (!keys.ok) throw new Error(keys.reason);
  const masker = createMasker(keys, (length) => crypto.getRandomValues(new Uint8Array(length)));
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  const once = (): void => {
    const output = createEventBuffer(200_000);
    let index = 0;
    for (const batch of jsonBatches(body)) {
      const context = { received, suspectSurrogates: batch.suspectSurrogates, output, masker };
      for (const event of batch.events) {
        const admission = admitter.admit(event, index++, null, context);
        if (admission.accepted !== valid) throw new Error(`${topic}: the verdict is not what the bench expects`);
      }
    }
  };
  const parse: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    parse.push(time(lines.length, () => void JSON.parse(decoder.decode(body))));
    whole.push(time(lines.length, once));
  }
  return { parse: median(parse), whole: median(whole), bytes: Math.round(body.byteLength / lines.length) };
}

function time(events: number, work: () => void): number {
  const start = performance.now();
  for (let i = 0; i < REPEATS; i++) work();
  return (performance.now() - start) / REPEATS / events;
}
