/** A message of the builds queue that asks for a compaction of bronze. */
import { type CompactDeps, compact } from "../lakehouse/upkeep/compaction/compact.ts";
import { noteCompactionFailure } from "../sql/statements/compactions.ts";
import { type WideEvent, withWasm } from "./with-wasm.ts";

export interface CompactionDeps extends Omit<CompactDeps, "permit"> {
  log(event: Readonly<Record<string, unknown>>): void;
}

/** Deliveries after which a failing compaction is left to the planner, which asks again later and not for ever. */
const MAX_DELIVERIES = 3;

/** Compacts, and settles the message. A compaction that cannot be done harms nobody: the small files stay. */
export async function consumeCompaction(message: Message, file: string, deps: CompactionDeps): Promise<void> {
  const event: WideEvent = { event: "compaction", file };
  await withWasm(message, event, deps.log, async (permit) => {
    try {
      const { kind, ...figures } = await compact({ ...deps, permit }, file);
      Object.assign(event, { outcome: kind, ...figures });
      message.ack();
    } catch (error) {
      event["outcome"] = "failed";
      event["error"] = String(error);
      await noteCompactionFailure(deps.db, file, String(error))
        .run()
        .catch(() => {});
      if (message.attempts < MAX_DELIVERIES) message.retry({ delaySeconds: 60 });
      else message.ack();
    }
  });
}
