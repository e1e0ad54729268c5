/**
 * What runs in workerd around the bundle: a claim check. The journal has a message's bytes; through Miniflare's queue goes the id
 * of its entry, as eight bytes, and the consumer is given the bytes again. A message of JSON, as build requests are, is journaled
 * as its text, under the name of the binding with `.json` behind it; in the queue a second number tells it apart.
 */

/**
 * Runs inside the Worker's isolate, once per producer binding. It refuses what the queue would (Miniflare's limits and words),
 * since the queue does not see the message, and detaches the caller's buffer, as Cloudflare's `send` does.
 */
export const PRODUCER_SCRIPT = `
const MAX_MESSAGE_BYTES = 128_000;
const MAX_BATCH_BYTES = 288_000;
const MAX_BATCH_MESSAGES = 100;
const MAX_DELAY_SECONDS = 86_400;

export default function (env) {
  const queue = env[env.PRODUCER_BINDING];

  async function append(call, messages, defaultDelay, suffix = "") {
    const refuse = (reason) => { throw new Error("Queue " + call + " failed: " + reason); };
    if (!messages.every(({ body }) => isBytes(body))) refuse("a message of bytes must be an ArrayBuffer or a view of one");
    const sizes = messages.map(({ body }) => body.byteLength);
    const largest = Math.max(...sizes);
    const all = sizes.reduce((sum, size) => sum + size, 0);
    const delays = messages.map(({ delaySeconds = defaultDelay ?? 0 }) => delaySeconds);
    if (largest > MAX_MESSAGE_BYTES) refuse("message length of " + largest + " bytes exceeds limit of " + MAX_MESSAGE_BYTES);
    if (all > MAX_BATCH_BYTES) refuse("batch size of " + all + " bytes exceeds limit of " + MAX_BATCH_BYTES);
    const wrong = delays.find((delay) => !(Number.isInteger(delay) && delay >= 0 && delay <= MAX_DELAY_SECONDS));
    if (wrong !== undefined) refuse("message delay " + wrong + " is invalid");
    const bodies = messages.map(({ body }) => detached(body));
    // Nearly all calls are such a one. Headers would cost the Worker as much as a few events.
    const isPlain = bodies.length === 1 && delays[0] === 0;
    const response = await env.JOURNAL.fetch("http://journal/append?binding=" + env.PRODUCER_BINDING + suffix, isPlain
      ? { method: "POST", body: bodies[0] }
      : { method: "POST", body: new Blob(bodies), headers: { sizes: JSON.stringify(sizes), delays: JSON.stringify(delays) } });
    if (response.status !== 204) throw new Error(await response.text());
  }

  return {
    async send(body, options) {
      const message = { body, delaySeconds: options?.delaySeconds };
      if (isJson(options)) return append("send", [asText(message)], undefined, ".json");
      if (options.contentType !== "bytes") return queue.send(body, options);
      await append("send", [message]);
    },
    async sendBatch(messages, options) {
      const formOf = (message) => message.contentType === "bytes" ? "bytes" : isJson(message) ? "json" : "other";
      const { bytes = [], json = [], other = [] } = Object.groupBy(messages, formOf);
      const count = bytes.length + json.length + other.length;
      if (count > MAX_BATCH_MESSAGES) throw new Error("Queue sendBatch failed: batch message count of " + count + " exceeds limit of " + MAX_BATCH_MESSAGES);
      if (bytes.length > 0) await append("sendBatch", bytes, options?.delaySeconds);
      if (json.length > 0) await append("sendBatch", json.map(asText), options?.delaySeconds, ".json");
      if (other.length > 0 || count === 0) await queue.sendBatch(other, options);
    },
    metrics: () => queue.metrics(),
  };
}

/** What a message is that says nothing of its form. */
function isJson(options) {
  return (options?.contentType ?? "json") === "json";
}

function asText({ body, delaySeconds }) {
  return { body: new TextEncoder().encode(JSON.stringify(body)), delaySeconds };
}

function isBytes(body) {
  return body instanceof ArrayBuffer || ArrayBuffer.isView(body);
}

function detached(body) {
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(body) ? body : new Uint8Array(body);
  return new Uint8Array(buffer.transfer(), byteOffset, byteLength);
}`;

/**
 * Stands in the consumer's place. What the Worker says to each message is said to Miniflare's queue in turn; a batch that threw
 * is one that throws here. Its \`fetch\` puts entries into the queue of a binding.
 */
export const CONSUMER_SCRIPT = `
const MAX_BATCH_MESSAGES = 100;
const JSON_FORM = 1;

export default {
  async queue(batch, env) {
    const bodies = await bodiesOf(batch.messages.map(entryOf).filter((entry) => entry !== null), env);
    // An entry that is gone was acknowledged, though the queue was not told: it is acknowledged now.
    const there = batch.messages.filter((message) => entryOf(message) === null || bodies.has(entryOf(message)));
    if (there.length === 0) return;
    const messages = there.map((message) => {
      const { id, timestamp, attempts, body } = message;
      const entry = entryOf(message);
      return { id, timestamp, attempts, body: entry === null ? body : contentOf(message, bodies.get(entry)) };
    });
    const said = await env.CONSUMER.queue(batch.queue, messages, batch.metadata);
    if (said.outcome !== "ok") throw new Error("the consumer of " + batch.queue + " ended with " + said.outcome);
    if (said.retryBatch.retry) return batch.retryAll(said.retryBatch);
    const retried = new Map((said.retryMessages ?? []).map(({ msgId, delaySeconds }) => (
      [msgId, { delaySeconds: delaySeconds === undefined ? undefined : Math.min(delaySeconds, env.LONGEST_RETRY) }])));
    const consumed = [];
    for (const message of there) {
      const retry = retried.get(message.id);
      if (retry !== undefined) message.retry(retry.delaySeconds === undefined ? {} : retry);
      else if (entryOf(message) !== null) consumed.push(entryOf(message));
    }
    if (consumed.length > 0) await post("remove", consumed, env);
  },

  async fetch(request, env) {
    const [binding, form] = new URL(request.url).searchParams.get("binding").split(".");
    const queue = env[binding];
    if (queue === undefined) return new Response(null, { status: 404 });
    const entries = await request.json();
    for (let at = 0; at < entries.length; at += MAX_BATCH_MESSAGES) {
      await queue.sendBatch(entries.slice(at, at + MAX_BATCH_MESSAGES).map(({ id, delaySeconds }) => (
        { body: Float64Array.from(form === "json" ? [id, JSON_FORM] : [id]), contentType: "bytes", delaySeconds })));
    }
    return new Response(null, { status: 204 });
  },
};

function contentOf({ body }, bytes) {
  return new Float64Array(body)[1] === JSON_FORM ? JSON.parse(new TextDecoder().decode(bytes)) : bytes;
}

function entryOf({ body }) {
  return body instanceof ArrayBuffer ? new Float64Array(body)[0] : null;
}

async function bodiesOf(entries, env) {
  if (entries.length === 0) return new Map();
  const response = await post("read", entries, env);
  const found = JSON.parse(response.headers.get("entries"));
  const bytes = await response.arrayBuffer();
  let end = 0;
  return new Map(found.map(({ id, size }) => [id, bytes.slice(end, end += size)]));
}

async function post(call, entries, env) {
  const response = await env.JOURNAL.fetch("http://journal/" + call, { method: "POST", body: JSON.stringify(entries) });
  if (!response.ok) throw new Error(await response.text());
  return response;
}`;
