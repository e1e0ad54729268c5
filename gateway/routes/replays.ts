/** `POST /v1/replays`: a topic's partitions of a time are built again from bronze, and what reads them after them. */
import { planReplay, requestReplay, TooManyPartitionsError } from "../../lakehouse/builds/replay.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { knownTopic } from "../known-topic.ts";
import { bodyOf } from "../openapi/json-body.ts";
import { microsOf } from "../openapi/times.ts";
import { ProblemError } from "../problem.ts";
import { replaysBody } from "./replays.api.ts";

export function postReplays(deps: GatewayDeps): (c: GatewayContext) => Promise<Response> {
  return async function postReplays(c) {
    const body = await bodyOf(c, replaysBody);
    const contract = knownTopic(c.get("reach").only(body.topic));
    const [from, to] = [millisOf(body.from), millisOf(body.to)];
    if (from >= to) throw new ProblemError("INVALID_PARAMETER", "from: must be before `to`");
    try {
      const plan = await planReplay(deps.db, contract, { from, to });
      if (!body.dry_run) await requestReplay(deps.db, contract, plan);
      return c.json({
        topic: contract.topic,
        dry_run: body.dry_run,
        partitions: plan.partitions.map(({ date, files, rows, status }) => ({ date, files, rows, status })),
        refused: plan.sealed.map(({ date }) => ({
          date,
          code: "BRONZE_RETIRED",
          detail: "its bronze is past retention; the published snapshot stays",
        })),
        tables: plan.tables,
      });
    } catch (cause) {
      if (cause instanceof TooManyPartitionsError)
        throw new ProblemError("INVALID_PARAMETER", `from: ${cause.message}`);
      throw new ProblemError("CATALOG_UNAVAILABLE", "the catalog does not answer: try again", {}, {}, { cause });
    }
  };
}

function millisOf(text: string): number {
  return Math.floor((microsOf(text) ?? 0) / 1_000);
}
