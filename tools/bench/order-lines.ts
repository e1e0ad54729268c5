/** What benches send: valid orders of the current schema version. One version, as one producer sends: each version of a request travels in a message of its own. */
import { simulate } from "../../producers/simulators/plan.ts";

/** The JSON of at least this many orders whose event times lie in the span before `now`, both milliseconds. */
export function orderLines(seed: number, count: number, now: number, spanMs: number): string[] {
  const events = simulate({
    seed,
    topics: ["orders"],
    // Some are of the version before.
    events: count * 2,
    startMs: now - spanMs,
    endMs: now,
    faultRate: 0,
    duplicateRate: 0,
    lateRate: 0,
  });
  const lines = [...events].map((event) => event.line).filter((line) => !line.includes('"schema_version":1'));
  if (lines.length < count)
    throw new Error(`the simulator made ${lines.length} orders of the current version of ${count}`);
  return lines;
}
