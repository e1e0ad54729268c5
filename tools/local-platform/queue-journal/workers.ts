/**
 * Puts the journal around a Worker's queues without touching its bundle: its producer bindings become wrapped ones that write
 * to the journal, and its consumers' place is taken by a Worker that hands every batch on and then tells the journal what
 * was acknowledged.
 */
import type { Miniflare, WorkerOptions } from "miniflare";
import { CONSUMER_SCRIPT, PRODUCER_SCRIPT } from "./scripts.ts";

const PRODUCER = "sluice-journal-producer";
const CONSUMER = "sluice-journal-consumer";

/** The Worker with its queues behind the journal at this host and port, and the two Workers that do it. */
export function journaledWorkers(worker: WorkerOptions, name: string, journalAddress: string): WorkerOptions[] {
  const { queueProducers, queueConsumers, ...rest } = worker;
  const service = { external: { address: journalAddress, http: {} } };
  const wrapped = namesOf(queueProducers).map((binding) => [
    binding,
    { scriptName: PRODUCER, bindings: { PRODUCER_BINDING: binding } },
  ]);
  return [
    { ...rest, name, wrappedBindings: Object.fromEntries(wrapped) },
    { name: PRODUCER, modules: true, script: PRODUCER_SCRIPT, queueProducers, serviceBindings: { JOURNAL: service } },
    {
      name: CONSUMER,
      modules: true,
      script: CONSUMER_SCRIPT,
      compatibilityDate: "2026-07-30",
      compatibilityFlags: ["service_binding_extra_handlers"],
      queueProducers,
      queueConsumers,
      serviceBindings: { JOURNAL: service, CONSUMER: name },
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    },
  ];
}

/** Where the entries of the journal are put into the queues. */
export async function consumerUrl(miniflare: Miniflare): Promise<URL> {
  return miniflare.unsafeGetDirectURL(CONSUMER);
}

function namesOf(producers: unknown): string[] {
  return typeof producers === "object" && producers !== null ? Object.keys(producers) : [];
}
