/**
 * Which events travel together, and when: a state machine without clock, network or promises. Events of one topic share a
 * batch, which is closed by count, by bytes, or by age. Events keep their order within a batch; batches have none.
 */

export interface BatcherLimits {
  /** Bytes of a batch; an event larger than this travels alone. */
  readonly maxBatchBytes: number;
  readonly maxBatchEvents: number;
  /** How long a batch that is not full waits for more events. */
  readonly lingerMs: number;
  /** Bytes of all events that have no verdict yet. */
  readonly maxBufferBytes: number;
  readonly maxInFlight: number;
}

export interface BufferedEvent {
  readonly topic: string;
  /** What it adds to a body. */
  readonly bytes: number;
}

/** Times are milliseconds on the caller's clock. */
export interface Batch<Event extends BufferedEvent> {
  readonly topic: string;
  readonly events: readonly Event[];
  readonly bytes: number;
  /** Tries without any verdict so far. */
  readonly attempts: number;
  /** When it was first handed out; null before. */
  readonly firstTriedAt: number | null;
  readonly notBefore: number;
}

export interface Batcher<Event extends BufferedEvent> {
  /** Whether an event of this size may be added. Always true while nothing is buffered, so that no event waits for ever. */
  hasRoom(bytes: number): boolean;
  add(event: Event, now: number): void;
  /** Closes every batch, full or not. */
  flush(): void;
  /** The next batch to send, which is in flight from then on; null if there is none to send now. */
  next(now: number): Batch<Event> | null;
  /** When `next` has something; null if only an event or the end of a request can change that. */
  wakeAt(): number | null;
  /** Ends a request: what is in `again` stays in the buffer, all else has left it. */
  settle(batch: Batch<Event>, again: readonly Batch<Event>[]): void;
  /** No request before `until`, whatever is waiting. */
  pause(until: number): void;
  /** Forgets all that is not in flight, and returns it. */
  clear(): Batch<Event>[];
  readonly bufferedBytes: number;
  readonly inFlight: number;
}

interface OpenBatch<Event> {
  readonly events: Event[];
  bytes: number;
  readonly since: number;
}

export function createBatcher<Event extends BufferedEvent>(limits: BatcherLimits): Batcher<Event> {
  const open = new Map<string, OpenBatch<Event>>();
  // Sets are queues here: insertion order, and taking the first costs no move of the others.
  const ready = new Set<Batch<Event>>();
  const again = new Set<Batch<Event>>();
  let bufferedBytes = 0;
  let inFlight = 0;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  function close(topic: string, { events, bytes }: OpenBatch<Event>): void {
    open.delete(topic);
    ready.add({ topic, events, bytes, attempts: 0, firstTriedAt: null, notBefore: Number.NEGATIVE_INFINITY });
  }

  function take(queue: Set<Batch<Event>>, due: (batch: Batch<Event>) => boolean): Batch<Event> | null {
    for (const batch of queue) {
      if (!due(batch)) continue;
      queue.delete(batch);
      return batch;
    }
    return null;
  }

  function flush(): void {
    for (const [topic, batch] of open) close(topic, batch);
  }

  return {
    hasRoom: (bytes) => bufferedBytes === 0 || bufferedBytes + bytes <= limits.maxBufferBytes,

    add(event, now) {
      let batch = open.get(event.topic);
      if (batch !== undefined && batch.bytes + event.bytes > limits.maxBatchBytes) {
        close(event.topic, batch);
        batch = undefined;
      }
      if (batch === undefined) {
        batch = { events: [], bytes: 0, since: now };
        open.set(event.topic, batch);
      }
      batch.events.push(event);
      batch.bytes += event.bytes;
      bufferedBytes += event.bytes;
      if (batch.events.length >= limits.maxBatchEvents || batch.bytes >= limits.maxBatchBytes) {
        close(event.topic, batch);
      }
    },

    flush,

    next(now) {
      if (inFlight >= limits.maxInFlight || now < pausedUntil) return null;
      // While all slots are taken an old batch goes on filling: it is closed when there is a slot for it.
      for (const [topic, batch] of open) if (now >= batch.since + limits.lingerMs) close(topic, batch);
      const batch = take(again, ({ notBefore }) => now >= notBefore) ?? take(ready, () => true);
      if (batch === null) return null;
      inFlight++;
      return { ...batch, attempts: batch.attempts + 1, firstTriedAt: batch.firstTriedAt ?? now };
    },

    wakeAt() {
      if (inFlight >= limits.maxInFlight) return null;
      let at = ready.size > 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
      for (const batch of again) at = Math.min(at, batch.notBefore);
      for (const batch of open.values()) at = Math.min(at, batch.since + limits.lingerMs);
      return at === Number.POSITIVE_INFINITY ? null : Math.max(at, pausedUntil);
    },

    settle(batch, left) {
      inFlight--;
      bufferedBytes -= batch.bytes;
      for (const each of left) {
        bufferedBytes += each.bytes;
        again.add(each);
      }
    },

    pause(until) {
      pausedUntil = Math.max(pausedUntil, until);
    },

    clear() {
      flush();
      const batches = [...again, ...ready];
      for (const { bytes } of batches) bufferedBytes -= bytes;
      again.clear();
      ready.clear();
      return batches;
    },

    get bufferedBytes() {
      return bufferedBytes;
    },
    get inFlight() {
      return inFlight;
    },
  };
}

/** A batch of some of a batch's events. */
export function partOf<Event extends BufferedEvent>(
  batch: Batch<Event>,
  events: readonly Event[],
  changes: Partial<Pick<Batch<Event>, "attempts" | "notBefore">> = {},
): Batch<Event> {
  return { ...batch, events, bytes: events.reduce((sum, { bytes }) => sum + bytes, 0), ...changes };
}
