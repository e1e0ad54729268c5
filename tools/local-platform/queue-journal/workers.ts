/**
 * Puts the journal around a Worker's queues without touching its bundle: its producer bindings become wrapped ones that write
 * to the journal, and its consumers' place is taken by a Worker that hands every batch on and then tells the journal what
 * was acknowledged.
 */
import type { Miniflare, WorkerOptions } from "miniflare";
import { CONSUMER_SCRIPT, PRODUCER_SCRIPT } from "./scripts.ts";

const PRODUCER = "sluice-journal-producer";
const CONSUMER = "sluice-journal-consumer";
/** As Cloudflare's. */
const LONGEST_RETRY_SECONDS = 86_400;

/** What queues wait for, in seconds. Tests wait for neither. */
export interface QueueWaits {
  /** For more messages of a batch, in place of what wrangler.toml says. */
  readonly batchSeconds: number;
  /** Before a message comes again, at the most, whatever its consumer asks for. */
  readonly retrySeconds: number;
}

/**
 * The Worker with its queues behind the journal at this host and port, after the two Workers that do it: it has the largest
 * modules, and Miniflare copies all that it has encoded of its configuration whenever that grows.
 */
export function journaledWorkers(
  worker: WorkerOptions,
  name: string,
  journalAddress: string,
  waits: QueueWaits | undefined,
): WorkerOptions[] {
  const { queueProducers, queueConsumers, ...rest } = worker;
  return [
    {
      name: CONSUMER,
      modules: true,
      script: CONSUMER_SCRIPT,
      compatibilityDate: "2026-07-30",
      compatibilityFlags: ["service_binding_extra_handlers"],
      queueProducers,
      queueConsumers,
      bindings: { LONGEST_RETRY: waits?.retrySeconds ?? LONGEST_RETRY_SECONDS },
      serviceBindings: { ...serviceAt("JOURNAL", journalAddress), CONSUMER: name },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    },
    { ...producerWorker(journalAddress), queueProducers },
    // Requests would go to the first Worker.
    { ...rest, name, routes: ["*/*"], wrappedBindings: journaledProducers(queueProducers) },
  ];
}

/** Bindings in the place of these producers. */
export function journaledProducers(queueProducers: unknown): NonNullable<WorkerOptions["wrappedBindings"]> {
  const names = typeof queueProducers === "object" && queueProducers !== null ? Object.keys(queueProducers) : [];
  return Object.fromEntries(
    names.map((binding) => [binding, { scriptName: PRODUCER, bindings: { PRODUCER_BINDING: binding } }]),
  );
}

/** What these bindings are made of. Without queues of its own it takes messages of bytes only. */
export function producerWorker(journalAddress: string) {
  const serviceBindings = serviceAt("JOURNAL", journalAddress);
  return { name: PRODUCER, modules: true, script: PRODUCER_SCRIPT, serviceBindings } as const;
}

/** A service binding to a server at this host and port. */
export function serviceAt(binding: string, address: string) {
  return { [binding]: { external: { address, http: {} } } };
}

/** Where the entries of the journal are put into the queues. */
export async function consumerUrl(miniflare: Miniflare): Promise<URL> {
  return miniflare.unsafeGetDirectURL(CONSUMER);
}
