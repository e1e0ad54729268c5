/** Whether a buffer is done for: asked of shards whose count is no longer the contract's. */
import { isIdle } from "./machine.ts";
import { oldestHour } from "./remembered-ids.ts";
import type { BufferStore } from "./store.ts";

/** True if the buffer is empty and would refuse as too old whatever was ever appended to it; its next append lists it anew. */
export function retire(store: BufferStore, now: number): boolean {
  const newest = store.noted.newestHour();
  if (!isIdle(store.state()) || (newest !== null && newest >= oldestHour(now))) return false;
  store.markUnlisted();
  return true;
}
