/**
 * The isolate's clock, which can be set ahead: whatever waits for a time (alarms, caches, backoff) finds that it has come. D1's
 * own clock and the queues' timers go on as they did.
 */

/**
 * `POST` with `?ahead=MS`. It looks like the address of a topic's events, so that an edge takes it itself, and hands it on only with
 * an Idempotency-Key.
 */
export const CLOCK_PATH = "/v1/topics/__clock/events";

const present = Date.now;
let aheadMs = 0;

function now(): number {
  return present() + aheadMs;
}

/** Sets the clock ahead, of what it is, and has the alarms of these objects follow. */
export async function setAhead(ms: number, objects: readonly Fetcher[]): Promise<void> {
  if (aheadMs === 0) {
    globalThis.Date = new Proxy(Date, {
      construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
      get: (target, property, receiver) => (property === "now" ? now : Reflect.get(target, property, receiver)),
    });
  }
  aheadMs += ms;
  await Promise.all(objects.map((object) => object.fetch(`http://object/?ahead=${ms}`)));
}

/** What such an object does when it is told: `storage` is the runtime's own. */
export async function bringAlarmForward(storage: DurableObjectStorage, request: Request): Promise<Response> {
  const alarm = await storage.getAlarm();
  const ms = Number(new URL(request.url).searchParams.get("ahead"));
  if (alarm !== null) await storage.setAlarm(alarm - ms);
  return new Response();
}

/** A storage whose alarms ring by this clock. */
export function clockedStorage(storage: DurableObjectStorage): DurableObjectStorage {
  const alarms: Partial<DurableObjectStorage> = {
    async getAlarm() {
      const alarm = await storage.getAlarm();
      return alarm === null ? null : alarm + aheadMs;
    },
    setAlarm: (time) => storage.setAlarm(Number(time) - aheadMs),
  };
  return new Proxy(storage, {
    get(object, property) {
      const value: unknown = Reflect.get(alarms, property) ?? Reflect.get(object, property, object);
      return typeof value === "function" ? value.bind(object) : value;
    },
  });
}
