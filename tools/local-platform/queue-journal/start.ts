/**
 * Runs the journal in a thread of its own: each message would make the garbage collector go through the heap that Miniflare fills,
 * and whoever waits for D1 or R2 in Node blocks the main thread, but no 2xx.
 */
import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

export interface RunningJournal {
  /** Host and port where workerd reaches it over HTTP. */
  readonly address: string;
  /** Sends entries from now on, those of earlier runs first, to where the consumer script takes them. */
  dispatchTo(consumer: URL): void;
  /** Resolves when everything that was answered is in the files, and these are closed. */
  close(): Promise<void>;
}

/** What the thread is told. */
export type JournalCommand = { readonly dispatchTo: string } | "close";

/**
 * A young generation of 1 MB, which V8 would let grow: it is collected for what is in V8's heap, while the bodies of messages are
 * outside, and all that wait for the next young collection bring the next full one nearer, which costs many times as much.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 3 };

/** Opens or makes the journal of a folder. Throws what the file system and SQLite throw. */
export async function startJournal(folder: string): Promise<RunningJournal> {
  const thread = new Worker(join(import.meta.dirname, "thread.ts"), {
    workerData: folder,
    resourceLimits: RESOURCE_LIMITS,
  });
  const tell = (command: JournalCommand) => thread.postMessage(command);
  const [port] = await once(thread, "message");
  return {
    address: `127.0.0.1:${Number(port)}`,
    dispatchTo: (consumer) => tell({ dispatchTo: consumer.href }),
    async close() {
      tell("close");
      await once(thread, "exit");
    },
  };
}
