/**
 * Puts the journal around a Worker's queues without touching its bundle: its producer bindings become wrapped ones that write
 * to the journal before they send, and its consumers' place is taken by a Worker that hands every batch on and then tells
 * the journal what was acknowledged.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Miniflare, WorkerOptions } from "miniflare";
import type { QueueJournal } from "./journal.ts";

const PRODUCER = "sluice-journal-producer";
const CONSUMER = "sluice-journal-consumer";
const COMPATIBILITY = { compatibilityDate: "2026-07-30" };

/**
 * Runs inside the Worker's isolate, once per producer binding. A message travels as `{entry, body}`; what is not bytes has no
 * entry: those are build requests, and the cron plans what was lost. The caller's buffer is detached, as Cloudflare's `send` does.
 */
const PRODUCER_SCRIPT = `
export default function (env) {
  const queue = env[env.PRODUCER_BINDING];
  async function journal(body, contentType) {
    if (contentType !== "bytes") return { entry: null, body };
    const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(body) ? body : new Uint8Array(body);
    const bytes = new Uint8Array(buffer.transfer(), byteOffset, byteLength).slice();
    const url = "http://journal/append?binding=" + env.PRODUCER_BINDING;
    const response = await env.JOURNAL.fetch(url, { method: "POST", body: bytes });
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return { entry: Number(text), body: bytes };
  }
  // What the queue refuses must not come back at every start.
  async function settled(sending, journaled) {
    try {
      return await sending;
    } catch (error) {
      const entries = journaled.map(({ entry }) => entry).filter((entry) => entry !== null);
      await env.JOURNAL.fetch("http://journal/remove", { method: "POST", body: JSON.stringify(entries) });
      throw error;
    }
  }
  return {
    async send(body, options) {
      const journaled = await journal(body, options?.contentType);
      return settled(queue.send(journaled, { ...options, contentType: "v8" }), [journaled]);
    },
    async sendBatch(messages, options) {
      const all = await Promise.all([...messages].map(async ({ body, contentType, ...rest }) => (
        { ...rest, body: await journal(body, contentType), contentType: "v8" })));
      return settled(queue.sendBatch(all, options), all.map(({ body }) => body));
    },
    metrics: () => queue.metrics(),
  };
}`;

/** What the Worker says to each message is said to Miniflare's queue in turn; a batch that threw is one that throws here. */
const CONSUMER_SCRIPT = `
export default {
  async queue(batch, env) {
    const messages = batch.messages.map(({ id, timestamp, attempts, body }) => (
      { id, timestamp, attempts, body: body.entry === null ? body.body : body.body.buffer }));
    const said = await env.CONSUMER.queue(batch.queue, messages, batch.metadata);
    if (said.outcome !== "ok") throw new Error("the consumer of " + batch.queue + " ended with " + said.outcome);
    if (said.retryBatch.retry) return batch.retryAll(said.retryBatch);
    const retried = new Map((said.retryMessages ?? []).map(({ msgId, delaySeconds }) => [msgId, { delaySeconds }]));
    const consumed = [];
    for (const message of batch.messages) {
      const retry = retried.get(message.id);
      if (retry !== undefined) message.retry(retry.delaySeconds === undefined ? {} : retry);
      else if (message.body.entry !== null) consumed.push(message.body.entry);
    }
    if (consumed.length > 0) await env.JOURNAL.fetch("http://journal/remove", { method: "POST", body: JSON.stringify(consumed) });
  },
  async fetch(request, env) {
    const { searchParams } = new URL(request.url);
    const body = new Uint8Array(await request.arrayBuffer());
    const queue = env[searchParams.get("binding")];
    if (queue === undefined) return new Response(null, { status: 404 });
    await queue.send({ entry: Number(searchParams.get("entry")), body }, { contentType: "v8" });
    return new Response(null, { status: 204 });
  },
};`;

/** The Worker with its queues behind the journal, and the two Workers that do it. */
export function journaledWorkers(worker: WorkerOptions, name: string, journal: QueueJournal): WorkerOptions[] {
  const { queueProducers, queueConsumers, ...rest } = worker;
  const bindings = namesOf(queueProducers);
  // Node's own server interface: Miniflare's Request and Response would cost more than the journal.
  const service = {
    node: (request: IncomingMessage, response: ServerResponse) => void answer(journal, request, response),
  };
  const wrapped = bindings.map((binding) => [
    binding,
    { scriptName: PRODUCER, bindings: { PRODUCER_BINDING: binding } },
  ]);
  const own = { modules: true, queueProducers, serviceBindings: { JOURNAL: service }, ...COMPATIBILITY };
  return [
    { ...rest, name, wrappedBindings: Object.fromEntries(wrapped) },
    { name: PRODUCER, modules: true, script: PRODUCER_SCRIPT, queueProducers, serviceBindings: { JOURNAL: service } },
    {
      ...own,
      name: CONSUMER,
      script: CONSUMER_SCRIPT,
      queueConsumers,
      compatibilityFlags: ["service_binding_extra_handlers"],
      serviceBindings: { JOURNAL: service, CONSUMER: name },
    },
  ];
}

/** Sends what an earlier run left into the queues again; how many. A message whose topic is gone stays in the journal. */
export async function redeliver(miniflare: Miniflare, journal: QueueJournal): Promise<number> {
  const consumer = await miniflare.getWorker(CONSUMER);
  // New messages may arrive meanwhile: those are in the queues already.
  const last = journal.lastId();
  let sent = 0;
  for (let after = 0; ; ) {
    const page = journal.page(after, 20).filter(({ id }) => id <= last);
    for (const { id, binding, body } of page) {
      const url = `http://journal/redeliver?binding=${binding}&entry=${id}`;
      const { ok } = await consumer.fetch(url, { method: "POST", body });
      if (ok) sent++;
      after = id;
    }
    if (page.length === 0) return sent;
  }
}

async function answer(journal: QueueJournal, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://journal");
    const body = await bytesOf(request);
    if (pathname === "/remove") {
      const ids: unknown = JSON.parse(body.toString());
      journal.remove(Array.isArray(ids) ? ids.filter((id) => typeof id === "number") : []);
      response.end();
    } else {
      response.end(String(await journal.append(searchParams.get("binding") ?? "", body)));
    }
  } catch (error) {
    response.writeHead(503).end(String(error));
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function namesOf(producers: unknown): string[] {
  return typeof producers === "object" && producers !== null ? Object.keys(producers) : [];
}
