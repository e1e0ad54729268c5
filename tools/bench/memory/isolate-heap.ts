/** The memory of one Worker's isolate in a running workerd, as V8's inspector says it (protocol 1.3, Runtime.getHeapUsage). */

/** Bytes in use. */
export interface HeapUse {
  /** JavaScript objects, garbage that waits for its collection included. */
  readonly objects: number;
  /** ArrayBuffers and Wasm memory. */
  readonly arrays: number;
}

export function heapBytes({ objects, arrays }: HeapUse): number {
  return objects + arrays;
}

export interface IsolateHeap {
  /** After a collection. */
  idle(): Promise<HeapUse>;
  now(): Promise<HeapUse>;
  /** Runs `work` and gives the most bytes that were in use meanwhile. */
  peakDuring(work: () => Promise<unknown>): Promise<number>;
  /** Runs `work` and gives V8's CPU profile of it, for Chrome's and VS Code's viewers. */
  profileDuring(work: () => Promise<unknown>): Promise<object>;
  /** Runs `work` and gives V8's sampling heap profile of it: who made the objects that outlived the young generation. */
  allocationsDuring(work: () => Promise<unknown>): Promise<object>;
  close(): void;
}

/** Between two questions. While JavaScript runs none is answered: what it left behind is seen right after. */
const PAUSE_MS = 2;
/** Between two samples of a CPU profile. */
const PROFILE_MICROS = 1_000;
/** Between two samples of allocations. */
const ALLOCATION_BYTES = 32_768;

/** `inspectorUrl`: workerd's own, of all its Workers; each takes one connection at a time. `gc` must be exposed. */
export async function isolateHeap(inspectorUrl: URL, worker: string): Promise<IsolateHeap> {
  const socket = new WebSocket(String(new URL(`/core:user:${worker}`, inspectorUrl)));
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error(`no inspector answers for ${worker}`)), { once: true });
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let [calls, context, open] = [0, 0, true];
  socket.addEventListener("message", ({ data }) => {
    const { id, result, method, params } = JSON.parse(String(data));
    if (method === "Runtime.executionContextCreated") context = params.context.id;
    waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  socket.addEventListener("close", () => {
    open = false;
    for (const call of waiting.values()) call.reject(new Error(`the inspector of ${worker} went away`));
  });

  async function call(method: string, params: object = {}): Promise<unknown> {
    if (!open) throw new Error(`the inspector of ${worker} went away`);
    const id = ++calls;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    socket.send(JSON.stringify({ id, method, params }));
    return await answer.promise;
  }
  async function usage(): Promise<HeapUse> {
    const { usedSize, backingStorageSize }: Record<string, number> = Object(await call("Runtime.getHeapUsage"));
    return { objects: usedSize ?? Number.NaN, arrays: backingStorageSize ?? 0 };
  }
  return {
    async idle() {
      // `HeapProfiler.collectGarbage` is never answered.
      await call("Runtime.enable");
      await call("Runtime.evaluate", { contextId: context, expression: "gc()" });
      await call("Runtime.disable");
      return await usage();
    },
    now: usage,
    async peakDuring(work) {
      const stop = Promise.withResolvers<void>();
      let [peak, stopped] = [0, false];
      async function watch(): Promise<void> {
        while (!stopped) {
          peak = Math.max(peak, heapBytes(await usage()));
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        }
      }
      const watching = watch();
      // Whichever fails ends both: a Worker that died answers nobody.
      await Promise.race([
        Promise.all([work().finally(() => stop.resolve()), stop.promise]),
        watching.then(() => stop.promise),
      ]);
      stopped = true;
      await watching;
      return peak;
    },
    async profileDuring(work) {
      await call("Profiler.enable");
      await call("Profiler.setSamplingInterval", { interval: PROFILE_MICROS });
      await call("Profiler.start");
      await work();
      const { profile } = Object(await call("Profiler.stop"));
      return Object(profile);
    },
    async allocationsDuring(work) {
      await call("HeapProfiler.enable");
      await call("HeapProfiler.startSampling", {
        samplingInterval: ALLOCATION_BYTES,
        includeObjectsCollectedByMajorGC: true,
        includeObjectsCollectedByMinorGC: false,
      });
      await work();
      const { profile } = Object(await call("HeapProfiler.stopSampling"));
      return Object(profile);
    },
    close: () => socket.close(),
  };
}
