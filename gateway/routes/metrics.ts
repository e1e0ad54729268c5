/** `GET /metrics`: the platform's numbers from the catalog and the isolate's own, for Prometheus. */
import { contracts } from "../../contracts/registry.ts";
import { silverTableName } from "../../lakehouse/tables/silver-columns.ts";
import { catalogMetrics } from "../../sql/statements/metrics.ts";
import type { GatewayContext } from "../context.ts";
import type { GatewayDeps } from "../deps.ts";
import { sentMessages } from "../in-flight.ts";
import { catalogFamilies } from "../metrics/catalog-families.ts";
import { EXPOSITION_TYPE, exposition, type Family } from "../metrics/exposition.ts";
import type { RequestCounts } from "../metrics/request-counts.ts";

/** Several scrapers, and people who reload, cost the catalog one reading. */
const CACHE_MS = 10_000;

const TOPICS = contracts.map(({ topic }) => ({ topic, table: silverTableName(topic) }));

export function getMetrics(deps: GatewayDeps, counts: RequestCounts): (c: GatewayContext) => Promise<Response> {
  let cached: { readonly at: number; readonly families: readonly Family[] } | undefined;

  /** A catalog that is down is a number too: a scrape that failed would hide what the isolate knows. */
  async function platformFamilies(now: number): Promise<readonly Family[]> {
    if (cached !== undefined && now - cached.at < CACHE_MS) return cached.families;
    try {
      const day = `${new Date(now).toISOString().slice(0, 10)}T00:00:00Z`;
      cached = { at: now, families: [catalogUp(1), ...catalogFamilies(await catalogMetrics(deps.db, TOPICS, day))] };
      return cached.families;
    } catch {
      return [catalogUp(0)];
    }
  }

  return async function getMetrics(c) {
    const families = [...(await platformFamilies(deps.clock.now())), ...isolateFamilies(deps), ...counts.families()];
    return c.body(exposition(families), 200, { "content-type": EXPOSITION_TYPE });
  };
}

function catalogUp(value: 0 | 1): Family {
  const help = "Whether the catalog (D1) answered; if not, the metrics of the platform are missing here";
  return { name: "sluice_catalog_up", help, type: "gauge", samples: [{ value }] };
}

function isolateFamilies(deps: GatewayDeps): Family[] {
  const own = "the isolate that answers this scrape, since it started";
  return [
    {
      name: "sluice_isolate_messages_sent_total",
      help: `Messages handed to queues by ${own}`,
      type: "counter",
      samples: [{ value: sentMessages() }],
    },
    {
      name: "sluice_isolate_messages_acknowledged_total",
      help: `Messages acknowledged by the consumers of ${own}`,
      type: "counter",
      samples: [{ value: deps.acknowledgedMessages() }],
    },
  ];
}
