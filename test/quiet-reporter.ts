/** Prints what failed, what was slow and how many there were; nothing while all goes well. */
import { MinimalReporter, type TestModule } from "vitest/node";

/** A file that takes longer is named. */
const SLOW_MS = 10_000;

export default class QuietReporter extends MinimalReporter {
  override onTestRunEnd(...[modules, ...rest]: Parameters<MinimalReporter["onTestRunEnd"]>): void {
    super.onTestRunEnd(modules, ...rest);
    const slow = modules
      .map((module) => ({ module, ms: module.diagnostic().duration }))
      .filter(({ ms }) => ms > SLOW_MS)
      .sort((a, b) => b.ms - a.ms);
    if (slow.length === 0) return;
    this.log(`${slow.length} files took longer than ${SLOW_MS / 1_000} s:`);
    for (const { module, ms } of slow) this.log(`${(ms / 1_000).toFixed(0).padStart(6)} s  ${nameOf(module)}`);
  }
}

function nameOf({ relativeModuleId }: TestModule): string {
  return relativeModuleId;
}
