/** Faults of campaign events. */
import type { CampaignEvent } from "../campaign-events.ts";
import { type Fault, LONE_SURROGATE, withFields } from "./fault.ts";

export const campaignFaults: readonly Fault<CampaignEvent>[] = [
  missing("campaign_id"),
  missing("event_type"),
  missing("cost"),
  {
    name: "cost_is_text",
    expected: "TYPE_MISMATCH",
    corrupt: (event) => withFields(event, { cost: `${event.cost} ${event.currency}` }),
  },
  {
    name: "cost_beyond_scale",
    expected: "TYPE_MISMATCH",
    corrupt: (event, { random }) => withFields(event, { cost: (random.int(1, 9_999) * 10 + 5) / 100_000 }),
  },
  {
    name: "unknown_channel",
    expected: "INVALID_ENUM",
    corrupt: (event, { random }) => withFields(event, { channel: random.pick(["fax", "E-Mail"]) }),
  },
  {
    name: "unknown_event_type",
    expected: "INVALID_ENUM",
    corrupt: (event) => withFields(event, { event_type: "bounce", revenue: undefined }),
  },
  {
    name: "campaign_id_is_a_title",
    expected: "INVALID_FORMAT",
    corrupt: (event) => withFields(event, { campaign_id: "Spring Sale 2026" }),
  },
  {
    name: "creative_with_lone_surrogate",
    expected: "INVALID_FORMAT",
    corrupt: (event) => withFields(event, { creative: `hero ${LONE_SURROGATE}` }),
  },
  {
    name: "cost_negative",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (event) => withFields(event, { cost: -1 - event.cost }),
  },
  {
    name: "revenue_zero",
    expected: "VALUE_OUT_OF_RANGE",
    corrupt: (event) => withFields(event, { event_type: "conversion", revenue: 0 }),
  },
  {
    name: "conversion_without_revenue",
    expected: "RULE_VIOLATION",
    corrupt: (event, { random }) =>
      withFields(event, { event_type: "conversion", revenue: random.pick([undefined, null]) }),
  },
  {
    name: "impression_with_revenue",
    expected: "RULE_VIOLATION",
    corrupt: (event) => withFields(event, { event_type: "impression", revenue: 12.5 }),
  },
];

function missing(field: keyof CampaignEvent): Fault<CampaignEvent> {
  return {
    name: `${field}_missing`,
    expected: "MISSING_FIELD",
    corrupt: (event) => withFields(event, { [field]: undefined }),
  };
}
