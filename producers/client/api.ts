/** What a program that sends events sees. */
import type { TopicEvents } from "./topic-events.generated.ts";
import type { Fetch } from "./transport.ts";
import type { DeliveryError, Rejection, Verdict } from "./verdict.ts";

export interface ClientOptions<Events extends object> {
  /** Where the gateway listens, for example `https://events.example.com`. */
  readonly url: string;
  readonly key: string;
  /** Bytes of a request's events before compression; 512,000 if not given. */
  readonly maxBatchBytes?: number;
  /** 500 if not given; the gateway takes 10,000. */
  readonly maxBatchEvents?: number;
  /** How long an event waits for company, in milliseconds; 50 if not given. */
  readonly lingerMs?: number;
  /** Bytes of events without a verdict; 64 MB if not given. */
  readonly maxBufferBytes?: number;
  /** Calls of `send` that may wait for room in the buffer; 1,000 if not given. More are refused with BufferFull. */
  readonly maxWaitingSends?: number;
  /** Requests under way at once; 5 if not given. */
  readonly maxInFlight?: number;
  /** `auto`: bodies over 1 KB, where the runtime can and until the gateway refuses it. */
  readonly gzip?: "auto" | "off";
  /** A request without an answer counts as failed after this; 30 s if not given. */
  readonly requestTimeoutMs?: number;
  /** From the first try on; then the verdict is `undelivered`. Without end if not given: an outage only fills the buffer. */
  readonly giveUpAfterMs?: number;
  /** Called for every rejected event, whether or not somebody awaits its verdict. */
  readonly onReject?: (rejection: Rejection) => void;
  /** Called for every request that brought no verdicts. */
  readonly onError?: (error: DeliveryError) => void;
  /** The field that a topic's missing id is set in; the contracts' if not given. */
  readonly eventIdFields?: Readonly<Partial<Record<keyof Events & string, string>>>;
  readonly fetch?: Fetch;
  /** Jitter, in [0, 1). */
  readonly chance?: () => number;
  readonly newId?: () => string;
}

export interface Client<Events extends object = TopicEvents> {
  /**
   * Resolves with the verdict. Rejects with ClientClosed or BufferFull, and with TypeError for what is no JSON object.
   * Awaiting each verdict before the next `send` would make batches of one: await `ready()` in a loop, or use `sendMany`.
   */
  send<Topic extends keyof Events & string>(topic: Topic, event: Events[Topic]): Promise<Verdict>;
  /** Like `send` for an event that is JSON text of one line; it goes out as it is, without an id being set. */
  sendJson(topic: keyof Events & string, text: string): Promise<Verdict>;
  /** Takes events only as fast as the buffer has room; resolves with their verdicts in their order. */
  sendMany<Topic extends keyof Events & string>(
    topic: Topic,
    events: Iterable<Events[Topic]> | AsyncIterable<Events[Topic]>,
  ): Promise<Verdict[]>;
  /** Resolves as soon as the buffer has room for an event of ordinary size. Rejects with ClientClosed. */
  ready(): Promise<void>;
  /** Sends what waits for company; resolves when every event given before has its verdict. */
  flush(): Promise<void>;
  /**
   * Hands events that are not under way to `sendBeacon` (see page-hide.ts), with the key in the address: a publishable one.
   * Their verdict is `undelivered` with the code `BEACON`, as no answer will be seen. What it refuses stays in the buffer.
   */
  beacon(sendBeacon: (url: string, body: Blob) => boolean): void;
  /**
   * Takes no more events, flushes, and resolves. After `timeoutMs` (30 s) requests under way are aborted and what has no
   * verdict rejects with ClientClosed. Doing so twice is doing so once.
   */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}
