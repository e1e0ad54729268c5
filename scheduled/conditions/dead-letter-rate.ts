/** Topics of whose events an unusual share was refused in the last full hour. */
import { HOUR_MS, hourTextAt } from "../../schemas/hours.ts";
import { hourTotals } from "../../sql/statements/conditions.ts";
import type { Condition, ConditionSource } from "./condition.ts";

/** A tenth refused is more than producers' usual faults; half is a broken producer or a contract that they do not know. */
const WARNING_SHARE = 0.1;
const CRITICAL_SHARE = 0.5;
/** Of fewer events a share says little. */
const MIN_EVENTS = 100;

export function deadLetterRateSource(db: D1Database): ConditionSource {
  return {
    name: "dead_letter_rate",
    async find(now) {
      const hour = hourTextAt(now - HOUR_MS);
      const totals = await hourTotals(db, hour);
      return totals.flatMap(({ topic, accepted, rejected }): Condition[] => {
        const events = accepted + rejected;
        const share = rejected / events;
        if (events < MIN_EVENTS || share < WARNING_SHARE) return [];
        return [
          {
            key: `dead_letter_rate/${topic}`,
            kind: "dead_letter_rate",
            severity: share < CRITICAL_SHARE ? "warning" : "critical",
            message: `${rejected} of ${events} events of ${topic} were refused in the hour from ${hour}; the table dead_letters has them with their reasons.`,
            domain: topic,
            measured: share,
            bound: WARNING_SHARE,
          },
        ];
      });
    },
  };
}
