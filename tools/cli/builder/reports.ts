/** How a builder tells of its work: to people by a bar a build, to machines by one JSON line. */
import type { BuilderOptions } from "../../../builder/options.ts";
import type { BuildEvent, BuilderReport, BuildPhase } from "../../../builder/report.ts";
import { createProgressBar, type ProgressBar } from "../../progress.ts";

export function jsonReport(write: (line: string) => void = (line) => console.log(line)): BuilderReport {
  return {
    note: (text) => console.error(text),
    idle() {},
    progress() {},
    built: (event) => write(JSON.stringify(event)),
  };
}

/** How far each phase brings the bar: its beginning, and its share. */
const SHARES: Readonly<Record<BuildPhase, readonly [number, number]>> = {
  fetch: [0, 0.2],
  run: [0.2, 0.55],
  check: [0.75, 0.05],
  upload: [0.8, 0.2],
};

export function personReport({ url, name }: Pick<BuilderOptions, "url" | "name">): BuilderReport {
  let bar: ProgressBar | undefined;
  let saysIdle = true;
  return {
    note(text) {
      console.error(`\n${text}`);
    },
    idle(pollAfterMs) {
      if (saysIdle)
        console.log(
          `${name}: nothing waits at ${url}; asking every ${Math.round(pollAfterMs / 1_000)} s (Ctrl-C ends)`,
        );
      saysIdle = false;
    },
    progress({ table, date }, phase, done) {
      bar ??= createProgressBar(`${table} ${date}`, 1);
      const [begin, share] = SHARES[phase];
      bar.update(begin + share * (done ?? 0), phase);
    },
    built(event) {
      if (event.outcome === "published") bar?.update(1);
      bar?.finish(endOf(event));
      bar = undefined;
      saysIdle = true;
      if (event.message !== null) console.log(`  ${event.message}`);
    },
  };
}

function endOf({ outcome, rows_out, bytes_out, total_ms }: BuildEvent): string {
  if (outcome !== "published") return outcome;
  return `${rows_out.toLocaleString("en")} rows, ${(bytes_out / 1e6).toFixed(1)} MB, ${(total_ms / 1_000).toFixed(1)} s`;
}
