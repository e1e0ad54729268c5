/**
 * The queue sections of wrangler.toml, from the topics that have a contract: for each a producer, a consumer, and a consumer
 * of its dead-letter queue. They stand between marker comments, one block an environment; the rest of the file is written by
 * hand. Pure: texts in, texts out.
 */
import { queueBinding } from "../../../contracts/registry.ts";
import { DEPLOYED_BATCH_SECONDS } from "../batch-wait.ts";

/** The settings of a consumer, explicit because miniflare's defaults differ from production's (PLATFORM: local). */
interface Consumer {
  readonly max_batch_size: number;
  readonly max_batch_timeout: number;
  readonly max_retries: number;
}

interface QueueSettings {
  readonly binding: string;
  /** The queue's name behind the environment's prefix. */
  readonly name: string;
  readonly consumer: Consumer;
  readonly deadLetters: Consumer;
}

interface QueueEnvironment {
  readonly name: string;
  /** What a table's name begins with: wrangler's top level is the local environment. */
  readonly tablePrefix: string;
  /** Seconds that a topic's consumer waits for a batch to fill: locally somebody is watching. */
  readonly batchSeconds: number;
}

const ENVIRONMENTS: readonly QueueEnvironment[] = [
  { name: "local", tablePrefix: "", batchSeconds: 1 },
  { name: "staging", tablePrefix: "env.staging.", batchSeconds: DEPLOYED_BATCH_SECONDS },
  { name: "production", tablePrefix: "env.production.", batchSeconds: DEPLOYED_BATCH_SECONDS },
];

/**
 * A build is a message by itself: it runs alone and at once. Each builder that vanishes, and each that finds its isolate busy, is a
 * delivery of it; when all are used up, the planner sends another once the lease has expired.
 */
const BUILDS: QueueSettings = {
  binding: "BUILDS",
  name: "builds",
  consumer: { max_batch_size: 1, max_batch_timeout: 0, max_retries: 100 },
  deadLetters: { max_batch_size: 10, max_batch_timeout: 5, max_retries: 100 },
};

/** wrangler.toml has no place for the queues, or has queues in another place. The message names the line and what to do. */
export class QueueSectionError extends Error {
  override readonly name = "QueueSectionError";
}

/** wrangler.toml with the queue sections that these topics need; the same text if it has them already. Throws QueueSectionError. */
export function syncQueues(toml: string, topics: readonly string[]): string {
  let text = toml;
  for (const environment of ENVIRONMENTS) {
    const { from, to } = blockOf(text, environment.name);
    text = `${text.slice(0, from)}\n${renderQueues(environment, topics)}${text.slice(to)}`;
  }
  refuseOtherQueues(text);
  return text;
}

function startMarker(environment: string): string {
  return `# queues of ${environment}: written by \`npm run wrangler:sync\` from the contracts`;
}

function endMarker(environment: string): string {
  return `# end of the queues of ${environment}`;
}

/** Where the lines between an environment's markers begin and end. */
function blockOf(toml: string, environment: string): { readonly from: number; readonly to: number } {
  const [start, end] = [startMarker(environment), endMarker(environment)].map((marker) => {
    const at = toml.indexOf(`\n${marker}\n`);
    if (at >= 0 && toml.indexOf(`\n${marker}\n`, at + 1) < 0) return at + 1;
    throw new QueueSectionError(`wrangler.toml must have the line "${marker}" exactly once: put it back`);
  });
  if (start === undefined || end === undefined || end < start) {
    throw new QueueSectionError(`wrangler.toml: the queues of ${environment} end before they start`);
  }
  return { from: start + startMarker(environment).length + 1, to: end };
}

// By hand a queue would get no consumer or dead-letter queue sooner or later.
function refuseOtherQueues(toml: string): void {
  let inside = false;
  for (const [index, line] of toml.split("\n").entries()) {
    if (ENVIRONMENTS.some(({ name }) => line === startMarker(name))) inside = true;
    else if (ENVIRONMENTS.some(({ name }) => line === endMarker(name))) inside = false;
    else if (!inside && /^\s*\[\[?\s*(env\.\w+\.)?queues\b/.test(line)) {
      throw new QueueSectionError(
        `wrangler.toml:${index + 1}: a queue outside the markers; queues come from contracts/ and tools/build/wrangler/queues.ts`,
      );
    }
  }
}

function renderQueues(environment: QueueEnvironment, topics: readonly string[]): string {
  const { name: prefix, tablePrefix, batchSeconds } = environment;
  const consumer = { max_batch_size: 100, max_batch_timeout: batchSeconds, max_retries: 100 };
  const queues = [
    ...[...topics].sort().map((topic): QueueSettings => {
      return { binding: queueBinding(topic), name: topic.replaceAll("_", "-"), consumer, deadLetters: consumer };
    }),
    BUILDS,
  ];
  const sections = queues.flatMap(({ binding, name, consumer: own, deadLetters }) => {
    const queue = `sluice-${prefix}-${name}`;
    return [
      section(`${tablePrefix}queues.producers`, { binding, queue }),
      section(`${tablePrefix}queues.consumers`, { queue, ...own, dead_letter_queue: `${queue}-dlq` }),
      section(`${tablePrefix}queues.consumers`, { queue: `${queue}-dlq`, ...deadLetters }),
    ];
  });
  return `${sections.join("\n")}\n`;
}

// Values are names and whole numbers: JSON's form is TOML's.
function section(table: string, values: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  return `[[${table}]]\n${lines.join("")}`;
}
