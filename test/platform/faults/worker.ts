/**
 * The real Worker with bindings that fail on demand. `POST /__faults` arms them: `{"TOPIC_ORDERS.send": {"fail": [1, 3]}}`
 * makes the first and third call from now on fail; `"lose"` instead lets the call happen and loses its answer. `TopicBuffer.alarm`
 * with `always` loses every alarm. `POST /__send?topic=orders` sends the body as a message past the gateway.
 */
import { topicQueue } from "../../../durable-objects/topic-queue.ts";
import worker, { Receipts as RealReceipts, TopicBuffer as RealTopicBuffer } from "../../../worker.ts";

interface Plan {
  readonly fail?: readonly number[];
  readonly lose?: readonly number[];
  /** The call happens, and the Durable Object that made it dies before it knows; elsewhere the same as `lose`. */
  readonly crash?: readonly number[];
  /** Every call fails until faults are armed anew. */
  readonly always?: boolean;
}

let plans: Record<string, Plan> = {};
let calls: Record<string, number> = {};

class InjectedFault extends Error {
  override readonly name = "InjectedFault";
}

/** A binding whose methods consult the plans; what they return is the binding's own. */
function faulty<T extends object>(name: string, target: T, crash: () => void): T {
  return new Proxy(target, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property, object);
      if (typeof value !== "function" || typeof property !== "string") return value;
      return (...values: unknown[]) => {
        const call = `${name}.${property}`;
        const plan = plans[call];
        if (plan === undefined) return Reflect.apply(value, object, values);
        const number = (calls[call] ?? 0) + 1;
        calls[call] = number;
        if (plan.always === true || plan.fail?.includes(number)) {
          return Promise.reject(new InjectedFault(`${call} number ${number} was made to fail`));
        }
        const result: unknown = Reflect.apply(value, object, values);
        const crashes = plan.crash?.includes(number) === true;
        if ((crashes || plan.lose?.includes(number)) && result instanceof Promise) {
          return result.then(() => {
            if (crashes) crash();
            throw new InjectedFault(`the answer of ${call} number ${number} was lost`);
          });
        }
        return result;
      };
    },
  });
}

const wrapped = new WeakMap<Env, Env>();

/** `crash` ends the object that the bindings are for. */
function withFaults(env: Env, crash?: () => void): Env {
  let result = crash === undefined ? wrapped.get(env) : undefined;
  if (result === undefined) {
    const bindings = new Map<string, unknown>();
    result = new Proxy(env, {
      get(object, property) {
        const value: unknown = Reflect.get(object, property);
        if (typeof property !== "string" || typeof value !== "object" || value === null) return value;
        // A namespace's ids and stubs check their receiver: only plain service bindings are wrapped.
        if (property === "TOPIC_BUFFER" || property === "RECEIPTS") return value;
        if (!bindings.has(property)) bindings.set(property, faulty(property, value, crash ?? (() => {})));
        return bindings.get(property);
      },
    });
    if (crash === undefined) wrapped.set(env, result);
  }
  return result;
}

export class TopicBuffer extends RealTopicBuffer {
  constructor(context: DurableObjectState, env: Env) {
    super(context, withFaults(env));
  }

  override async alarm(): Promise<void> {
    if (plans["TopicBuffer.alarm"]?.always !== true) return super.alarm();
    console.log("ALARM LOST");
  }
}

export class Receipts extends RealReceipts {
  constructor(context: DurableObjectState, env: Env) {
    super(
      context,
      withFaults(env, () => context.abort("made to crash")),
    );
  }
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/__send") {
      await topicQueue(env, searchParams.get("topic") ?? "").send(await request.bytes(), { contentType: "bytes" });
      return new Response();
    }
    if (pathname === "/__faults") {
      plans = await request.json();
      calls = {};
      return Response.json({ armed: Object.keys(plans) });
    }
    return worker.fetch(request, withFaults(env), context);
  },
  queue: (batch, env) => worker.queue(batch, withFaults(env)),
  scheduled: (controller, env) => worker.scheduled(controller, withFaults(env)),
} satisfies ExportedHandler<Env>;
