/** Every call that is documented; a test holds the list against the app's routes. */

import type { Need } from "../access/need.ts";
import { activityOperations } from "../routes/activity.api.ts";
import { backfillsOperations } from "../routes/backfills.api.ts";
import { contractsOperations } from "../routes/contracts.api.ts";
import { deadLettersOperations } from "../routes/dead-letters.api.ts";
import { eventsOperations } from "../routes/events.api.ts";
import { flushOperations } from "../routes/flush.api.ts";
import { keysOperations } from "../routes/keys.api.ts";
import { lagOperations } from "../routes/lag.api.ts";
import { ledgerOperations } from "../routes/ledger.api.ts";
import { metricsOperations } from "../routes/metrics.api.ts";
import { nativeBuildsOperations } from "../routes/native-builds.api.ts";
import { parkedOperations } from "../routes/parked.api.ts";
import { partitionsOperations } from "../routes/partitions.api.ts";
import { peekOperations } from "../routes/peek.api.ts";
import { platformOperations } from "../routes/platform.api.ts";
import { registryOperations } from "../routes/registry.api.ts";
import { rollbacksOperations } from "../routes/rollbacks.api.ts";
import { runsOperations } from "../routes/runs.api.ts";
import { tablesOperations } from "../routes/tables.api.ts";
import { topicsOperations } from "../routes/topics.api.ts";
import { traceOperations } from "../routes/trace.api.ts";
import type { Operation } from "./operation.ts";

export const operations: readonly Operation[] = [
  ...eventsOperations,
  ...topicsOperations,
  ...lagOperations,
  ...peekOperations,
  ...flushOperations,
  ...activityOperations,
  ...contractsOperations,
  ...tablesOperations,
  ...rollbacksOperations,
  ...ledgerOperations,
  ...traceOperations,
  ...partitionsOperations,
  ...runsOperations,
  ...backfillsOperations,
  ...nativeBuildsOperations,
  ...deadLettersOperations,
  ...parkedOperations,
  ...keysOperations,
  ...registryOperations,
  ...platformOperations,
  ...metricsOperations,
];

const needs = new Map(operations.map(({ method, path, need }) => [`${method} ${path}`, need]));

/** The need of a route, by its path as Hono has it (`/v1/topics/:topic`). Throws for a route that no operation describes. */
export function needOf(method: string, path: string): Need {
  const name = `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`;
  const need = needs.get(name);
  if (need === undefined)
    throw new Error(`${name}: describe the call, and the right that it needs, in routes/NAME.api.ts`);
  return need;
}
