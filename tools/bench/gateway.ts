/** Gateway CPU per event: decode, admit and encode, against `JSON.parse` of the same bytes (DESIGN section 8's first budget). */
import { contractOf, currentSchema } from "../../contracts/registry.ts";
import { createAdmitter } from "../../gateway/admit/admitter.ts";
import { createEventBuffer } from "../../gateway/admit/event-buffer.ts";
import { decodeJson } from "../../gateway/bodies/json.ts";
import { simulate } from "../../producers/simulators/plan.ts";
import { codecById } from "../../schemas/codecs.ts";
import { type Bench, median } from "./bench.ts";

const EVENTS = 500;
const ROUNDS = 15;
const REPEATS = 20;
const BUDGET = 1.6;

export const bench: Bench = {
  explanation: `Decodes, admits and encodes ${EVENTS} valid simulated events in one JSON array, and parses the same text with JSON.parse, in turns:
${ROUNDS} rounds of ${REPEATS} each, medians. The ratio is the worse of orders and clickstream; budget ${BUDGET}.`,
  async run(log) {
    const ratios: Record<string, number> = {};
    for (const topic of ["orders", "clickstream"] as const) {
      const { parse, whole, bytes } = measure(topic);
      ratios[topic] = whole / parse;
      log(
        `${topic}: ${bytes} bytes an event; JSON.parse ${(parse * 1e3).toFixed(2)} us, decode + admit + encode ${(whole * 1e3).toFixed(2)} us: ratio ${(whole / parse).toFixed(2)}`,
      );
    }
    const ratio = Math.max(...Object.values(ratios));
    return { ratio, budget: BUDGET, ok: ratio <= BUDGET, ...ratios };
  },
};

/** Milliseconds per event. */
function measure(topic: "orders" | "clickstream"): { parse: number; whole: number; bytes: number } {
  const contract = contractOf(topic);
  const codec = contract === undefined ? undefined : codecById(currentSchema(contract).id);
  if (contract === undefined || codec === undefined) throw new Error(`topic ${topic} is not compiled`);
  const admitter = createAdmitter(contract, codec);
  const now = Date.now();
  const lines: string[] = [];
  for (const event of simulate({
    seed: 7,
    topics: [topic],
    events: EVENTS * 2,
    startMs: now - 3_600_000,
    endMs: now,
    faultRate: 0,
    duplicateRate: 0,
    lateRate: 0,
  })) {
    if (lines.length < EVENTS) lines.push(event.line);
  }
  const text = `[${lines.join(",")}]`;
  const body = new TextEncoder().encode(text);
  const received = now * 1_000;

  const once = (): void => {
    const decoded = decodeJson(body);
    const output = createEventBuffer(200_000);
    let index = 0;
    for (const event of decoded.events) {
      const admission = admitter.admit(event, index++, { received, suspectSurrogates: false, output });
      if (!admission.accepted) throw new Error(`a simulated event was refused: ${JSON.stringify(admission.errors)}`);
    }
  };
  const parse: number[] = [];
  const whole: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    parse.push(time(() => void JSON.parse(text)));
    whole.push(time(once));
  }
  return { parse: median(parse), whole: median(whole), bytes: Math.round(body.byteLength / lines.length) };
}

function time(work: () => void): number {
  const start = performance.now();
  for (let i = 0; i < REPEATS; i++) work();
  return (performance.now() - start) / REPEATS / EVENTS;
}
