/** Waits for a backfill's end, with a progress bar. */
import { setTimeout as delay } from "node:timers/promises";
import { CommandProblem } from "../../command-problem.ts";
import type { PlatformAddress } from "../../platform-address.ts";
import { callPlatform } from "../../platform-call.ts";
import { createProgressBar } from "../../progress.ts";
import { type BackfillDetail, backfillDetail, progressText } from "./answer.ts";
import { linesOf } from "./known.ts";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/** It may be left at any time: the platform goes on. Throws CommandProblem (PLATFORM_REFUSED) when partitions failed. */
export async function follow(platform: PlatformAddress, id: string, json: boolean): Promise<void> {
  const read = () => callPlatform(platform, "GET", `/v1/backfills/${encodeURIComponent(id)}`, backfillDetail);
  let backfill = await read();
  const bar = createProgressBar("backfill", backfill.counts.total);
  for (let wait = FIRST_WAIT_MS; isOpen(backfill); wait = Math.min(LONGEST_WAIT_MS, wait * 1.5)) {
    const { done, failed, cancelled } = backfill.counts;
    bar.update(done + failed + cancelled, progressText(backfill));
    await delay(wait);
    backfill = await read();
  }
  const { counts } = backfill;
  bar.update(counts.done + counts.failed + counts.cancelled, progressText(backfill));
  bar.finish(progressText(backfill));
  if (json) console.log(JSON.stringify(backfill, null, 2));
  else for (const line of linesOf(backfill)) console.log(line);
  if (counts.failed > 0) {
    const remedy = `See to the causes, then: sluice backfill resume ${id}`;
    throw new CommandProblem("PLATFORM_REFUSED", `${counts.failed} partitions failed. ${remedy}`);
  }
}

function isOpen({ state }: BackfillDetail): boolean {
  return state === "RUNNING" || state === "CANCELLING";
}
