/** Alarms of Durable Objects that follow the virtual clock: who runs the day rings them. They outlive the object in the isolate's memory, as real ones do in its storage. */
import type { Tally } from "./tally.ts";

const alarms = new Map<string, number>();

/** Has this storage's alarms held; each that is set is a row written. */
export function holdAlarms(id: string, storage: DurableObjectStorage, tally: Tally): void {
  const held: Pick<DurableObjectStorage, "getAlarm" | "setAlarm" | "deleteAlarm"> = {
    getAlarm: async () => alarms.get(id) ?? null,
    async setAlarm(time) {
      tally.ran("object", "the alarm", 0, 1);
      alarms.set(id, Number(time));
    },
    deleteAlarm: async () => void alarms.delete(id),
  };
  for (const [name, value] of Object.entries(held)) Object.defineProperty(storage, name, { value });
}

export interface DueAlarm {
  /** Of the object. */
  readonly id: string;
  readonly at: number;
}

/** The next of all. */
export function nextAlarm(): DueAlarm | undefined {
  let next: DueAlarm | undefined;
  for (const [id, at] of alarms) if (next === undefined || at < next.at) next = { id, at };
  return next;
}

/** Before an alarm is rung: a handler finds none set. */
export function takeAlarm(id: string): void {
  alarms.delete(id);
}
