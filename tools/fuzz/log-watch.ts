/** The Worker's log as it comes: searched for personal data and errors, and not kept. */
import { leakIn } from "./canaries.ts";
import { FailureList } from "./failure-list.ts";

export interface LogWatch {
  readonly failures: FailureList;
  take(log: { readonly level: string; readonly message: string }): void;
}

export function watchLog(): LogWatch {
  const failures = new FailureList();
  return {
    failures,
    take({ level, message }) {
      const leak = leakIn(message);
      if (leak !== undefined) failures.add(null, `personal data in the log: ${JSON.stringify(leak)}`);
      if (level === "error") failures.add(null, `the Worker logged an error: ${message.slice(0, 400)}`);
    },
  };
}
