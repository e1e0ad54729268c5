/** Bindings whose calls go wrong as planned; what else they return is the binding's own. */
import { InjectedFault, nextFault } from "./plans.ts";

/** Longer than a flush in tests takes. */
const SLOW_MS = 700;

/** Makes a call with what is planned for it. `crash` ends the Durable Object that makes it. */
export async function callWithFault<R>(call: string, crash: () => void, work: () => Promise<R>): Promise<R> {
  const { fault, number } = nextFault(call);
  if (fault === "fail") throw new InjectedFault(`${call} number ${number} was made to fail`);
  if (fault === "slow") await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
  const result = await work();
  if (fault === "crash") crash();
  if (fault === "crash" || fault === "lose") {
    throw new InjectedFault(`the answer of ${call} number ${number} was lost`);
  }
  return result;
}

/** Only what a plan may name: other methods need not return promises. */
const ASYNC_METHODS: ReadonlySet<string> = new Set([
  "send",
  "sendBatch",
  "put",
  "get",
  "head",
  "delete",
  "list",
  "batch",
]);

function faulty<T extends object>(name: string, target: T, crash: () => void): T {
  return new Proxy(target, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property, object);
      if (typeof value !== "function" || typeof property !== "string") return value;
      if (!ASYNC_METHODS.has(property)) return (...values: unknown[]) => Reflect.apply(value, object, values);
      return (...values: unknown[]) =>
        callWithFault(`${name}.${property}`, crash, async () => Reflect.apply(value, object, values));
    },
  });
}

const wrapped = new WeakMap<Env, Env>();

/** `crash` ends the object that the bindings are for; without it they are the Worker's own. */
export function withFaults(env: Env, crash?: () => void): Env {
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
