/**
 * The real Worker on a day that is fast-forwarded: its clock stands until it is set, its queues, alarms and cron follow it, and its
 * bindings count what is billed, by cause. Requests are the Worker's own; one with the header bench-time comes when the day has gone on
 * to that time. But for these:
 *
 *     POST /__run?to=MS                       the day goes on to this time
 *     POST /__repeat?to=MS&slot=N&topic=T     the same, with the messages of the topic's kept minute sent again as those of slot N
 *     POST /__keep?topic=T                    the messages that are sent from now on are the topic's minute; `on=0`: no more
 *     POST /__counts                          what was counted so far
 */
import worker, { TopicBuffer as RealTopicBuffer } from "../../../worker.ts";
import { countedBindings, type HeldQueues, heldQueue } from "./counted-bindings.ts";
import { countRows, settleRows } from "./counted-rows.ts";
import { holdAlarms, nextAlarm, takeAlarm } from "./held-alarms.ts";
import type { HeldQueue } from "./held-queues.ts";
import { repeated } from "./repeated-messages.ts";
import { Tally } from "./tally.ts";
import { installClock, realNow, setClock, tellClock, virtualNow } from "./virtual-clock.ts";

// wrangler.toml wants the objects' classes of any entry; those that are counted stand below.
export * from "../../../worker.ts";

installClock();
const MINUTE_MS = 60_000;
const REQUESTS = "requests";
const tally = new Tally(REQUESTS);
const queues: HeldQueues = new Map();
const bindings = countedBindings(tally, queues);
/** Of a topic: messages of one minute, by the milliseconds after its beginning. */
const kept = new Map<string, { at: number; body: Uint8Array }[]>();
let lastTick = 0;

/** Counts a call or an alarm of an object, its time and the rows that it touched. */
async function handled<T>(work: () => Promise<T>): Promise<T> {
  tally.operations.objectRequests++;
  const started = realNow();
  try {
    return await work();
  } finally {
    tally.operations.objectMilliseconds += realNow() - started;
    settleRows(tally);
  }
}

export class TopicBuffer extends RealTopicBuffer {
  constructor(context: DurableObjectState, env: Env) {
    countRows(context.storage, tally);
    holdAlarms(context.id.toString(), context.storage, tally);
    super(context, bindings(env));
  }

  override append(...call: Parameters<RealTopicBuffer["append"]>): ReturnType<RealTopicBuffer["append"]> {
    return handled(() => super.append(...call));
  }

  override poke(...call: Parameters<RealTopicBuffer["poke"]>): ReturnType<RealTopicBuffer["poke"]> {
    return handled(() => super.poke(...call));
  }

  /** Its alarm rings. */
  override async fetch(): Promise<Response> {
    await handled(() => super.alarm());
    return new Response();
  }
}

/** Everything that is due until `to`, in its order. */
async function run(to: number, env: Env): Promise<void> {
  if (lastTick === 0) lastTick = Math.floor(to / MINUTE_MS) * MINUTE_MS;
  for (;;) {
    const queue = [...queues.values()].reduce<HeldQueue | undefined>(
      (first, each) => (each.due() < (first?.due() ?? Number.POSITIVE_INFINITY) ? each : first),
      undefined,
    );
    const alarm = nextAlarm();
    const tick = lastTick + MINUTE_MS;
    const next = Math.min(queue?.due() ?? Number.POSITIVE_INFINITY, alarm?.at ?? Number.POSITIVE_INFINITY, tick);
    if (next > to) break;
    await moveTo(next, env);
    if (queue !== undefined && queue.due() <= next) await deliver(queue, env);
    else if (alarm !== undefined && alarm.at <= next) await ring(alarm.id, env);
    else {
      lastTick = tick;
      await fireCron(env);
    }
  }
  await moveTo(to, env);
  tally.attribute(REQUESTS);
}

/** What was due before stays due; the clock never goes back. */
async function moveTo(ms: number, env: Env): Promise<void> {
  if (ms <= virtualNow()) return;
  setClock(ms);
  await tellClock(env.DB);
}

async function deliver(queue: HeldQueue, env: Env): Promise<void> {
  tally.attribute(queue.name.endsWith("-builds") ? causeOf(queue.next()) : "consumer");
  await queue.deliver((batch) => worker.queue(batch, bindings(env)));
}

function causeOf(body: unknown): string {
  const domain: unknown = typeof body === "object" && body !== null ? Reflect.get(body, "domain") : undefined;
  return typeof domain === "string" ? `build ${domain.replace(/_\d+$/, "")}` : "compaction";
}

async function ring(id: string, env: Env): Promise<void> {
  tally.attribute("flush");
  takeAlarm(id);
  const { TOPIC_BUFFER: buffers } = env;
  await (await buffers.get(buffers.idFromString(id)).fetch("http://object/")).arrayBuffer();
}

async function fireCron(env: Env): Promise<void> {
  tally.attribute("cron");
  tally.operations.requests++;
  await worker.scheduled({ cron: "* * * * *", scheduledTime: virtualNow(), noRetry: () => {} }, bindings(env));
}

function queueOf(topic: string): HeldQueue {
  return heldQueue(`TOPIC_${topic.toUpperCase()}`, tally, queues);
}

/** Sends a kept minute again. */
async function repeat(topic: string, slot: number, to: number, env: Env): Promise<void> {
  const from = virtualNow();
  for (const { at, body } of kept.get(topic) ?? []) {
    await run(from + at, env);
    tally.operations.requests++;
    queueOf(topic).hold(repeated(body, slot, virtualNow()));
  }
  await run(to, env);
}

function keep(topic: string, on: boolean): void {
  const queue = queueOf(topic);
  if (!on) {
    delete queue.onHeld;
    return;
  }
  const minute: { at: number; body: Uint8Array }[] = [];
  const from = virtualNow();
  kept.set(topic, minute);
  queue.onHeld = (body) => {
    if (body instanceof Uint8Array) minute.push({ at: virtualNow() - from, body: body.slice() });
  };
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    const [to, topic] = [Number(searchParams.get("to")), searchParams.get("topic") ?? ""];
    const sentAt = request.headers.get("bench-time");
    if (sentAt !== null) await run(Number(sentAt), env);
    switch (pathname) {
      case "/__run":
        await run(to, env);
        return Response.json({});
      case "/__repeat":
        await repeat(topic, Number(searchParams.get("slot")), to, env);
        return Response.json({});
      case "/__keep":
        keep(topic, searchParams.get("on") !== "0");
        return Response.json({});
      case "/__counts":
        return Response.json(tally.byCause());
      case "/healthz":
        break;
      default:
        tally.operations.requests++;
    }
    return worker.fetch(request, bindings(env), context);
  },
} satisfies ExportedHandler<Env>;
