/**
 * Enforces the need that an operation declares. It stands before anything reads the body: a key that may not make the call costs
 * no memory. Routes ask nothing more of the key, save for `Reach`, which holds the topics that a call may answer for.
 */
import type { MiddlewareHandler } from "hono";
import { contracts } from "../../contracts/registry.ts";
import { bronzeTableName } from "../../lakehouse/tables/bronze/manifest.ts";
import { silverTableName } from "../../lakehouse/tables/silver-columns.ts";
import type { GatewayContext, GatewayEnv } from "../context.ts";
import { knownTopic } from "../known-topic.ts";
import { ProblemError } from "../problem.ts";
import { onlyBuilds, permits } from "./grant.ts";
import type { Need } from "./need.ts";
import { forbidden, reachOf } from "./reach.ts";

/** Behind `auth`, unless the need is `open`. Throws the problems FORBIDDEN and UNKNOWN_TOPIC. */
export function guard(need: Need): MiddlewareHandler<GatewayEnv> {
  return async function guard(c, next) {
    if (need.kind !== "open") demand(c, need);
    await next();
  };
}

function demand(c: GatewayContext, need: Exclude<Need, { kind: "open" }>): void {
  const grant = c.get("grant");
  // A route that was registered without `auth` answers nobody, instead of everybody.
  if (grant === undefined)
    throw new Error(`${c.req.method} ${c.req.path} needs a key, and no middleware asked for one`);
  if (grant.kind === "publishable" && !(need.kind === "topic" && need.publishable === true)) {
    throw new ProblemError("FORBIDDEN", "a publishable key writes events and does nothing else");
  }
  switch (need.kind) {
    case "key":
      if (onlyBuilds(grant)) throw new ProblemError("FORBIDDEN", "a builder's key builds and does nothing else");
      return;
    case "platform": {
      const rights = [[need.access]];
      if (!permits(grant, "*", rights)) throw forbidden(rights, "*");
      return;
    }
    case "topic": {
      const { topic } = knownTopic(c.req.param("topic"));
      if (!permits(grant, topic, need.rights)) throw forbidden(need.rights, topic);
      return;
    }
    case "table": {
      const topic = topicOfTable(c.req.param("table")) ?? "*";
      if (!permits(grant, topic, need.rights)) throw forbidden(need.rights, topic);
      return;
    }
    case "topics":
      c.set("reach", reachOf(grant, need.rights));
  }
}

// Calls about builds name a topic's silver by its topic, too; no other table may have a topic's name.
const topicsBySilver = new Map(
  contracts.flatMap(({ topic }) =>
    [silverTableName(topic), bronzeTableName(topic), topic].map((name) => [name, topic]),
  ),
);

/** The topic whose silver or bronze a table is, by the table's name or the topic's; undefined for the ledger and the gold tables, which tell of several topics. */
export function topicOfTable(table: string | undefined): string | undefined {
  return table === undefined ? undefined : topicsBySilver.get(table);
}
