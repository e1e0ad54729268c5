/**
 * A builder that is gone in the middle of a step, as when its isolate is ended: none of its calls to D1 or R2 does anything any more,
 * and the queue hears nothing of its message. `build` plans that for one delivery (`aborts`: the delivery, and the call after which
 * the builder is gone); `builder` plans that the whole process is ended then, by whoever reads the log.
 */
import { faultyDatabase } from "./database.ts";
import { InjectedFault, logFault, nextFault } from "./plans.ts";

/** As `FAULT <this>` in the log: the process is to be ended now. */
export const KILL = "builder abort";

/** Hands a batch of build messages on, with bindings that end with the builder. */
export async function deliverMortal(
  batch: MessageBatch,
  env: Env,
  consume: (batch: MessageBatch, env: Env) => Promise<void>,
): Promise<void> {
  const { abortAfter } = nextFault("build");
  const killed = nextFault("builder").abortAfter;
  if (abortAfter === undefined && killed === undefined) return consume(batch, env);
  const life = new Life(abortAfter ?? Number.POSITIVE_INFINITY, killed ?? Number.POSITIVE_INFINITY);
  const said: (() => void)[] = [];
  await consume(withMessages(batch, said), mortalBindings(env, life));
  if (life.isGone) throw new InjectedFault("a builder was ended in the middle of a step");
  for (const say of said) say();
}

class Life {
  #calls = 0;
  #gone = false;
  readonly #abortAfter: number;
  readonly #killAfter: number;

  constructor(abortAfter: number, killAfter: number) {
    this.#abortAfter = abortAfter;
    this.#killAfter = killAfter;
  }

  get isGone(): boolean {
    return this.#gone;
  }

  async call<R>(work: () => Promise<R>): Promise<R> {
    if (this.#gone) throw new InjectedFault("nothing is done for a builder that is gone");
    const result = await work();
    this.#calls++;
    if (this.#calls === this.#killAfter) {
      logFault("builder", "abort");
      await new Promise(() => {});
    }
    if (this.#calls >= this.#abortAfter && !this.#gone) {
      this.#gone = true;
      logFault("build", "abort");
    }
    if (this.#gone) throw new InjectedFault("the builder was gone before it had the answer");
    return result;
  }
}

function mortalBindings(env: Env, life: Life): Env {
  const bindings: Readonly<Record<string, unknown>> = {
    DB: faultyDatabase(env.DB, (_call, work) => life.call(work)),
    LAKE: mortal(env.LAKE, life),
    BUILDS: mortal(env.BUILDS, life),
  };
  return new Proxy(env, {
    get: (object, property) =>
      typeof property === "string" && property in bindings ? bindings[property] : Reflect.get(object, property),
  });
}

function mortal<T extends object>(target: T, life: Life): T {
  return new Proxy(target, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property, object);
      if (typeof value !== "function") return value;
      return (...values: unknown[]) => life.call(async () => Reflect.apply(value, object, values));
    },
  });
}

/** The batch, with what is said to its messages kept for later. */
function withMessages(batch: MessageBatch, said: (() => void)[]): MessageBatch {
  const messages = batch.messages.map((message) => ({
    id: message.id,
    timestamp: message.timestamp,
    body: message.body,
    attempts: message.attempts,
    ack: () => void said.push(() => message.ack()),
    retry: (options?: QueueRetryOptions) => void said.push(() => message.retry(options)),
  }));
  return {
    messages,
    queue: batch.queue,
    metadata: batch.metadata,
    ackAll: () => void said.push(() => batch.ackAll()),
    retryAll: (options) => void said.push(() => batch.retryAll(options)),
  };
}
