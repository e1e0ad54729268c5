/** Resetting a Durable Object in the middle of a call: its steps are counted, and one of them is its last. */
import { logFault } from "./plans.ts";

export interface StepCounter {
  /** A step was made, by whichever call: an object's calls take turns. */
  step(): void;
  /** Makes a call that ends after so many steps of the object, or at its own end; undefined: it just makes it. */
  endAfter<R>(steps: number | undefined, call: string, work: () => Promise<R>): Promise<R>;
}

/** `abort` resets the object: on the runtime none of its code runs after that. */
export function createStepCounter(abort: () => void): StepCounter {
  const planned = new Set<{ readonly call: string; left: number }>();
  const reset = (call: string) => {
    planned.clear();
    logFault(call, "abort");
    abort();
  };
  return {
    step() {
      for (const each of planned) {
        each.left--;
        if (each.left <= 0) return reset(each.call);
      }
    },
    async endAfter(steps, call, work) {
      if (steps === undefined) return work();
      const each = { call, left: steps };
      planned.add(each);
      try {
        return await work();
      } finally {
        if (planned.has(each)) reset(call);
      }
    },
  };
}

/** Members of an object's storage whose methods are steps, too. */
const PARTS: ReadonlySet<PropertyKey> = new Set(["sql", "kv"]);

/** An object's storage, or a part of it, that tells of each method called, after the call. */
export function countedStorage<T extends object>(storage: T, onStep: () => void): T {
  const parts = new Map<PropertyKey, unknown>();
  return new Proxy(storage, {
    get(object, property) {
      const value: unknown = Reflect.get(object, property, object);
      if (typeof value === "function") {
        return (...values: unknown[]) => {
          const result: unknown = Reflect.apply(value, object, values);
          onStep();
          return result;
        };
      }
      if (!PARTS.has(property) || typeof value !== "object" || value === null) return value;
      if (!parts.has(property)) parts.set(property, countedStorage(value, onStep));
      return parts.get(property);
    },
  });
}
