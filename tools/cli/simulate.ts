/** `sluice simulate`: producers that never stop. */
import { join, resolve } from "node:path";
import * as z from "zod";
import { livePlan, liveSource } from "../../producers/simulators/live.ts";
import { ALL_TOPICS, isPolled, type SimulatedTopic } from "../../producers/simulators/topics.ts";
import { integerFlag, parseCommandLine } from "../command-line.ts";
import { CommandProblem } from "../command-problem.ts";
import { simulateLive } from "../dev/simulate-live.ts";
import { fileWatermarks } from "../dev/watermarks.ts";
import { onStopSignals } from "../local-platform/signals.ts";
import { WATERMARKS } from "../local-platform/state.ts";
import { PLATFORM_OPTIONS, platformHelp, platformOf } from "../platform-address.ts";
import { callPlatform } from "../platform-call.ts";
import type { Command } from "./command.ts";

const HELP = `sluice simulate --all | --topic T [--topic T]... [flags]

Sends simulated events until Ctrl-C, some of them faulty on purpose, and prints a line every ten seconds. Every verdict is
compared with the one that the event was made for; a difference is printed and makes the exit code 1.

  --all              every topic that has a simulator
  --topic T          one of ${ALL_TOPICS.join(", ")}
  --rate N           events per second in all (the topics' usual rates: a clickstream of ten a second, the rest in proportion).
                     restaurants (hourly), users (daily) keep to the clock
  --duration S       stop after S seconds
  --seed N           the same world each time (streams: a new one each time; databases: seed 1)
  --reset-watermark  read polled databases (order_changes, restaurants, users) from their beginning
${platformHelp("a key with the scope of every topic, *:write", 21)}
  --state DIR        where the watermarks are kept (.sluice)`;

export const command: Command = {
  summary: "sends simulated events of any topic until Ctrl-C",
  help: HELP,
  async run(argv) {
    const { values } = parseCommandLine(argv, {
      options: {
        all: { type: "boolean", default: false },
        topic: { type: "string", multiple: true, default: [] },
        rate: { type: "string" },
        duration: { type: "string" },
        seed: { type: "string" },
        "reset-watermark": { type: "boolean", default: false },
        ...PLATFORM_OPTIONS,
        state: { type: "string", default: ".sluice" },
      },
    });
    const topics = topicsOf(values.all, values.topic);
    const rate = values.rate === undefined ? null : integerFlag("rate", values.rate, 1, 100_000);
    const seed = values.seed === undefined ? undefined : integerFlag("seed", values.seed, 0, 2 ** 31 - 1);
    const duration = values.duration === undefined ? undefined : integerFlag("duration", values.duration, 1, 10 ** 6);
    const platform = platformOf(values);
    const { url: baseUrl, key: apiKey } = platform;
    // A platform that goes away later is waited for; one that is not there from the start is a mistake.
    await callPlatform(platform, "GET", "/v1/topics", z.unknown());

    const watermarks = fileWatermarks(join(resolve(values.state), WATERMARKS), baseUrl);
    if (values["reset-watermark"]) for (const topic of topics.filter(isPolled)) watermarks.reset(topic);
    const plan = livePlan(topics, rate);
    const stop = new AbortController();
    onStopSignals(
      () => stop.abort(),
      () => process.exit(130),
    );
    const timer = duration === undefined ? undefined : setTimeout(() => stop.abort(), duration * 1_000);
    const log = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)}  ${line}`);
    log(`simulating ${topics.join(", ")} against ${baseUrl}; Ctrl-C stops`);
    const result = await simulateLive({
      baseUrl,
      apiKey,
      rate: plan.eventsPerSecond,
      topics: plan.streamed,
      shares: plan.shares,
      ...(seed === undefined ? {} : { seed }),
      polled: { sources: plan.polled.map((topic) => liveSource(topic, seed ?? 1, plan.speed)), watermarks },
      signal: stop.signal,
      // What is under way is finished, so that no watermark stands before what was stored.
      kill: new AbortController().signal,
      log,
    });
    clearTimeout(timer);
    const { accepted, rejected, mismatches } = result;
    log(`stopped: ${accepted} accepted, ${rejected} rejected, ${mismatches} verdicts other than expected`);
    if (mismatches > 0) process.exitCode = 1;
  },
};

function topicsOf(all: boolean, named: readonly string[]): readonly SimulatedTopic[] {
  if (all && named.length === 0) return ALL_TOPICS;
  if (all || named.length === 0) throw new CommandProblem("USAGE", "Give either --all or one --topic or more.");
  const unknown = named.find((name) => !ALL_TOPICS.some((topic) => topic === name));
  if (unknown === undefined) return ALL_TOPICS.filter((topic) => named.includes(topic));
  throw new CommandProblem(
    "USAGE",
    `There is no simulator of "${unknown}". There are: ${ALL_TOPICS.join(", ")}. Events of another topic come from a file: npx sluice send FILE --topic ${unknown}`,
  );
}
