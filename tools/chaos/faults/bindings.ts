/** Bindings whose calls go wrong as planned; what else they return is the binding's own. */
import { faultyDatabase } from "./database.ts";
import { InjectedFault, type NextFault, nextFault, presentSpell } from "./plans.ts";

/** Longer than a flush in tests takes. */
const SLOW_MS = 700;

/** A Durable Object whose bindings these are. */
export interface Owner {
  /** Resets it. */
  crash(): void;
  /** Told of each step after it was made. */
  onStep?(): void;
}

/** Makes a call with what is planned for it. `crash` ends the Durable Object that makes it. */
export async function callWithFault<R>(call: string, crash: () => void, work: () => Promise<R>): Promise<R> {
  const spell = presentSpell(call.slice(0, call.indexOf(".")), call);
  if (spell === "down") throw new InjectedFault(`${call} does not answer`);
  if (spell === "mute") {
    await work();
    throw new InjectedFault(`the answer of ${call} was lost`);
  }
  return callAsPlanned(call, nextFault(call), crash, work);
}

/** Makes a call of which `nextFault` has said what goes wrong. */
export async function callAsPlanned<R>(
  call: string,
  { fault, number }: NextFault,
  crash: () => void,
  work: () => Promise<R>,
): Promise<R> {
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

function faulty<T extends object>(name: string, target: T, owner: Owner): T {
  return new Proxy(target, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property, object);
      if (typeof value !== "function" || typeof property !== "string") return value;
      if (!ASYNC_METHODS.has(property)) return (...values: unknown[]) => Reflect.apply(value, object, values);
      return (...values: unknown[]) =>
        callOf(owner, `${name}.${property}`, async () => Reflect.apply(value, object, values));
    },
  });
}

async function callOf<R>(owner: Owner, call: string, work: () => Promise<R>): Promise<R> {
  try {
    return await callWithFault(call, owner.crash, work);
  } finally {
    owner.onStep?.();
  }
}

/** Who is no object dies of nothing. */
const NOBODY: Owner = { crash: () => {} };

const wrapped = new WeakMap<Env, Env>();

/** Without an owner they are the Worker's own. */
export function withFaults(env: Env, owner?: Owner): Env {
  let result = owner === undefined ? wrapped.get(env) : undefined;
  if (result === undefined) {
    const bindings = new Map<string, unknown>();
    result = new Proxy(env, {
      get(object, property) {
        const value: unknown = Reflect.get(object, property);
        if (typeof property !== "string" || typeof value !== "object" || value === null) return value;
        // A namespace's ids and stubs check their receiver: only plain service bindings are wrapped.
        if (property === "TOPIC_BUFFER" || property === "RECEIPTS") return value;
        if (!bindings.has(property)) {
          const of = owner ?? NOBODY;
          const database = () => faultyDatabase(object.DB, (call, work) => callOf(of, `DB.${call}`, work));
          bindings.set(property, property === "DB" ? database() : faulty(property, value, of));
        }
        return bindings.get(property);
      },
    });
    if (owner === undefined) wrapped.set(env, result);
  }
  return result;
}
