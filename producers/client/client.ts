/**
 * The client SDK: events in, verdicts out. It batches, compresses, retries and holds a bounded buffer; it uses only what
 * Node 20, Deno, Workers and browsers share. See docs/client.md.
 */
import type { Client, ClientOptions } from "./api.ts";
import { type Batch, type BufferedEvent, createBatcher } from "./batcher.ts";
import { createEpochs, type Epoch } from "./epochs.ts";
import { bodyOf, type EventLine, lineOfEvent, lineOfText } from "./event-line.ts";
import { createRoom } from "./room.ts";
import { settlementOf } from "./settlement.ts";
import { EVENT_ID_FIELDS, type TopicEvents } from "./topic-events.generated.ts";
import { canCompress, post } from "./transport.ts";
import { BufferFull, ClientClosed, type Verdict } from "./verdict.ts";

export type { Client, ClientOptions } from "./api.ts";
export { flushOnPageHide, type Page } from "./page-hide.ts";
export type { TopicEvents } from "./topic-events.generated.ts";
export * from "./verdict.ts";

interface Pending extends BufferedEvent, EventLine {
  readonly epoch: Epoch;
  resolve(verdict: Verdict): void;
  reject(error: Error): void;
}

const DEFAULTS = {
  maxBatchBytes: 512_000,
  maxBatchEvents: 500,
  lingerMs: 50,
  maxBufferBytes: 64_000_000,
  maxInFlight: 5,
} as const;
const COMPRESS_FROM_BYTES = 1_000;
/** Browsers take 64 KiB of beacons at a time (Fetch standard, keepalive); small ones leave room for the rest. */
const BEACON_BYTES = 15_000;
const BEACON = { httpStatus: null, code: "BEACON", detail: "handed to the browser: no answer will be seen" } as const;
/** What `ready()` asks room for: an event is a few hundred bytes, and at most 100 KB. */
const ORDINARY_BYTES = 1_000;

/** Opens nothing and sends nothing until the first event. Throws TypeError if `url` is none. */
export function createClient<Events extends object = TopicEvents>(options: ClientOptions<Events>): Client<Events> {
  const { giveUpAfterMs = Number.POSITIVE_INFINITY, chance = Math.random, newId = () => crypto.randomUUID() } = options;
  const { onReject, onError } = options;
  const target = {
    url: new URL(options.url).href.replace(/\/+$/, ""),
    key: options.key,
    // Called by its own name: browsers refuse a `fetch` that is called as another object's method.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
  };
  const limits = {
    maxBatchBytes: options.maxBatchBytes ?? DEFAULTS.maxBatchBytes,
    maxBatchEvents: options.maxBatchEvents ?? DEFAULTS.maxBatchEvents,
    lingerMs: options.lingerMs ?? DEFAULTS.lingerMs,
    maxBufferBytes: options.maxBufferBytes ?? DEFAULTS.maxBufferBytes,
    maxInFlight: options.maxInFlight ?? DEFAULTS.maxInFlight,
  };
  const idFields = new Map<string, unknown>(Object.entries(options.eventIdFields ?? EVENT_ID_FIELDS));
  const batcher = createBatcher<Pending>(limits);
  const room = createRoom((bytes) => batcher.hasRoom(bytes));
  const epochs = createEpochs();
  const outstanding = new Set<Pending>();
  const stop = new AbortController();
  let compresses = (options.gzip ?? "auto") === "auto" && canCompress();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ringsAt = Number.POSITIVE_INFINITY;
  let closing: Promise<void> | undefined;

  const now = () => performance.now();

  /** Hands out what is due and sleeps until more is. */
  function pump(): void {
    clearTimeout(timer);
    ringsAt = Number.POSITIVE_INFINITY;
    if (stop.signal.aborted) return;
    for (let batch = batcher.next(now()); batch !== null; batch = batcher.next(now())) void deliver(batch);
    const at = batcher.wakeAt();
    if (at === null) return;
    ringsAt = at;
    timer = setTimeout(pump, Math.max(0, Math.ceil(at - now())));
  }

  async function deliver(batch: Batch<Pending>): Promise<void> {
    const body = bodyOf(batch.events);
    const compressed = compresses && body.byteLength >= COMPRESS_FROM_BYTES;
    const reply = await post(target, batch.topic, body, compressed, stop.signal);
    if (stop.signal.aborted) return;
    const settlement = settlementOf(batch, reply, { compressed, now: now(), chance: chance(), giveUpAfterMs });
    const { finished, again, error, pauseUntil, refusesCompression } = settlement;
    if (refusesCompression) compresses = false;
    if (pauseUntil !== null) batcher.pause(pauseUntil);
    batcher.settle(batch, again);
    for (const { event, verdict } of finished) finish(event, verdict);
    room.changed();
    pump();
    // The program's own code comes last, when everything here is in order: it may throw, and it may send.
    for (const { verdict } of finished) {
      if (verdict.status === "rejected")
        onReject?.({ topic: batch.topic, eventId: verdict.eventId, errors: verdict.errors });
    }
    if (error !== null) onError?.(error);
  }

  function finish(event: Pending, verdict: Verdict): void {
    outstanding.delete(event);
    event.resolve(verdict);
    event.epoch.leave();
  }

  function enqueue(topic: string, { line, eventId }: EventLine): Promise<Verdict> {
    const bytes = line.byteLength + 1;
    const waits = !room.isFree(bytes);
    if (waits && room.waiting >= (options.maxWaitingSends ?? 1_000)) {
      return Promise.reject(
        new BufferFull(`${batcher.bufferedBytes} bytes wait for a verdict, and ${room.waiting} sends for room`),
      );
    }
    const { promise, resolve, reject } = deferred<Verdict>();
    const pending: Pending = { topic, bytes, line, eventId, epoch: epochs.enter(), resolve, reject };
    outstanding.add(pending);
    const add = () => {
      batcher.add(pending, now());
      if (closing !== undefined) batcher.flush();
    };
    if (waits) room.wait(bytes, add);
    else {
      add();
      const at = batcher.wakeAt();
      if (at !== null && at < ringsAt) pump();
    }
    return promise;
  }

  function refuseClosed(): void {
    if (closing !== undefined) throw new ClientClosed("the client is closed");
  }

  const client: Client<Events> = {
    async send(topic, event) {
      refuseClosed();
      if (!isObject(event)) throw new TypeError("an event is an object");
      const idField = idFields.get(topic);
      return await enqueue(topic, lineOfEvent(event, typeof idField === "string" ? idField : undefined, newId));
    },

    async sendJson(topic, text) {
      refuseClosed();
      return await enqueue(topic, lineOfText(text));
    },

    async sendMany(topic, events) {
      const verdicts: Promise<Verdict>[] = [];
      for await (const event of events) {
        await client.ready();
        const verdict = client.send(topic, event);
        // Its rejection is thrown by Promise.all below; until then it must not count as unhandled.
        verdict.catch(() => {});
        verdicts.push(verdict);
      }
      return await Promise.all(verdicts);
    },

    async ready() {
      refuseClosed();
      if (room.isFree(ORDINARY_BYTES)) return;
      const { promise, resolve } = deferred<void>();
      room.wait(ORDINARY_BYTES, () => resolve());
      await promise;
      refuseClosed();
    },

    async flush() {
      batcher.flush();
      pump();
      await epochs.turn();
    },

    beacon(sendBeacon) {
      for (const batch of batcher.clear()) {
        const url = `${target.url}/v1/topics/${encodeURIComponent(batch.topic)}/events?k=${encodeURIComponent(target.key)}`;
        for (const events of chunksOf(batch.events, BEACON_BYTES)) {
          const taken = sendBeacon(url, new Blob([bodyOf(events)], { type: "text/plain" }));
          for (const event of events) {
            if (taken) finish(event, { status: "undelivered", eventId: event.eventId, problem: BEACON });
            else batcher.add(event, now());
          }
        }
      }
      room.changed();
      pump();
    },

    close({ timeoutMs = 30_000 } = {}) {
      closing ??= shutDown(timeoutMs);
      return closing;
    },
  };

  async function shutDown(timeoutMs: number): Promise<void> {
    const late = deferred<void>();
    const limit = setTimeout(() => late.resolve(), timeoutMs);
    await Promise.race([client.flush(), late.promise]);
    clearTimeout(limit);
    stop.abort(new ClientClosed("the client was closed"));
    clearTimeout(timer);
    room.release();
    batcher.clear();
    for (const event of outstanding) {
      event.reject(new ClientClosed("the client was closed before this event had a verdict; it may have been stored"));
      event.epoch.leave();
    }
    outstanding.clear();
  }

  return client;
}

function* chunksOf(events: readonly Pending[], maxBytes: number): Generator<Pending[], void, undefined> {
  let chunk: Pending[] = [];
  let bytes = 0;
  for (const event of events) {
    if (chunk.length > 0 && bytes + event.bytes > maxBytes) {
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    chunk.push(event);
    bytes += event.bytes;
  }
  if (chunk.length > 0) yield chunk;
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

// Promise.withResolvers, which Node 20 lacks.
function deferred<Value>(): {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (error: Error) => void;
} {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
