/** Gathers the wide event of a build while it goes on. */
import type { WorkOrder } from "../lakehouse/builds/native/wire.ts";
import type { BuildFigures } from "./build.ts";
import type { BuildEvent, BuildPhase } from "./report.ts";

export interface EventRecorder {
  /** A phase begins, or goes on. */
  phase(phase: BuildPhase): void;
  figures(figures: Partial<BuildFigures>): void;
  end(outcome: BuildEvent["outcome"], message: string | null): BuildEvent;
}

export function recordBuild(order: WorkOrder, now: () => number = () => performance.now()): EventRecorder {
  const startedAt = now();
  const spent: Record<BuildPhase, number> = { fetch: 0, run: 0, check: 0, upload: 0 };
  const figures = { bytes_fetched: 0, rows_out: 0, files_out: 0, bytes_out: 0 };
  let current: BuildPhase | undefined;
  let since = startedAt;

  function close(): void {
    if (current !== undefined) spent[current] += now() - since;
    since = now();
  }

  return {
    phase(phase) {
      if (phase === current) return;
      close();
      current = phase;
    },
    figures: (more) => void Object.assign(figures, more),
    end(outcome, message) {
      close();
      const files = order.inputs.flatMap((input) => input.files);
      return {
        ...{ event: "native_build", run: order.run, table: order.table, date: order.date, outcome, message },
        rows_in: files.reduce((sum, { rows }) => sum + rows, 0),
        bytes_in: files.reduce((sum, { bytes }) => sum + bytes, 0),
        ...figures,
        fetch_ms: Math.round(spent.fetch),
        run_ms: Math.round(spent.run),
        check_ms: Math.round(spent.check),
        upload_ms: Math.round(spent.upload),
        total_ms: Math.round(now() - startedAt),
        // Node tells kilobytes.
        peak_memory_bytes: process.resourceUsage().maxRSS * 1_024,
      };
    },
  };
}
