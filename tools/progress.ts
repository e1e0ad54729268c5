/** A progress line: redrawn in place on a terminal, a plain line every tenth elsewhere (logs of a build server). */

export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressBar {
  /** `done` of the total; `note` stands behind the bar. */
  update(done: number, note?: string): void;
  /** Draws the last state and ends the line. */
  finish(note?: string): void;
}

const BAR_WIDTH = 30;
const REDRAW_EVERY_MS = 100;

export function createProgressBar(
  label: string,
  total: number,
  output: ProgressOutput = process.stderr,
  now: () => number = () => performance.now(),
): ProgressBar {
  let done = 0;
  let note = "";
  let drawnAt = Number.NEGATIVE_INFINITY;
  let tenths = 0;

  function line(): string {
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.round(share * BAR_WIDTH);
    const bar = "█".repeat(filled) + "░".repeat(BAR_WIDTH - filled);
    return `${label} ${bar} ${String(Math.floor(share * 100)).padStart(3)} % ${note}`.trimEnd();
  }

  // A line that wraps cannot be redrawn in place.
  function redraw(): void {
    output.write(`\r\x1b[2K${line().slice(0, (output.columns ?? 80) - 1)}`);
    drawnAt = now();
  }

  return {
    update(next, text = note) {
      done = next;
      note = text;
      if (output.isTTY === true) {
        if (now() - drawnAt >= REDRAW_EVERY_MS) redraw();
        return;
      }
      const reached = total === 0 ? 10 : Math.floor((Math.min(done, total) / total) * 10);
      if (reached <= tenths) return;
      tenths = reached;
      output.write(`${label} ${reached * 10} % ${note}`.trimEnd().concat("\n"));
    },
    finish(text = note) {
      note = text;
      if (output.isTTY !== true) return;
      redraw();
      output.write("\n");
    },
  };
}
