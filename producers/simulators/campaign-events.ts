/** Marketing campaigns and what users make of them: many see, some click, few buy. */
import { type Currency, customerId, MARKETS } from "./catalogue.ts";
import { createZipf, type Random } from "./random.ts";

export type Channel = "email" | "push" | "search" | "social" | "display";

/** An event of the topic `campaign_events`, as it goes over the wire. Cost has at most four decimals, revenue two. */
export interface CampaignEvent {
  readonly event_id: string;
  readonly campaign_id: string;
  readonly event_timestamp: string;
  readonly event_type: "impression" | "open" | "click" | "conversion" | "unsubscribe";
  readonly channel: Channel;
  readonly user_id?: string;
  readonly creative?: string;
  readonly currency: Currency;
  readonly cost: number;
  readonly revenue?: number;
  /** Since schema version 2. */
  readonly placement?: string;
  readonly view_seconds?: number;
  readonly schema_version?: number;
}

export interface CampaignEventGenerator {
  /** The next contact of any campaign, at this virtual time (milliseconds since the epoch). */
  next(nowMs: number): CampaignEvent;
}

interface Campaign {
  readonly id: string;
  readonly channel: Channel;
  readonly currency: Currency;
  /** Ten-thousandths of a US dollar a contact, by what it is billed for. */
  readonly costUnits: number;
  readonly priceLevel: number;
}

const THEMES = ["spring", "lunch_break", "new_in_town", "win_back", "weekend", "vegan_month", "late_night", "loyalty"];
const CHANNELS: readonly Channel[] = ["email", "push", "search", "social", "display"];
const BILLED_FOR: Readonly<Record<Channel, CampaignEvent["event_type"]>> = {
  email: "impression",
  push: "impression",
  search: "click",
  social: "click",
  display: "impression",
};
const OUTCOMES: readonly (readonly [CampaignEvent["event_type"], number])[] = [
  ["impression", 780],
  ["open", 110],
  ["click", 80],
  ["conversion", 24],
  ["unsubscribe", 6],
];
// Two channels' tools write version 2, one still says version 1, the others name none.
const PLACEMENTS: Partial<Readonly<Record<Channel, readonly string[]>>> = {
  social: ["feed", "story"],
  display: ["banner", "sidebar"],
};

function versionOf(random: Random, channel: Channel): Partial<CampaignEvent> {
  if (channel === "email") return { schema_version: 1 };
  const placements = PLACEMENTS[channel];
  if (placements === undefined) return {};
  return { placement: random.pick(placements), view_seconds: random.int(1, 300) / 10, schema_version: 2 };
}

const userRanks = createZipf(2_000, 0.5);

/** Eight campaigns, each on one channel and in one market. */
export function createCampaignEvents(random: Random): CampaignEventGenerator {
  const campaigns = THEMES.map((theme, index): readonly [Campaign, number] => {
    const market = random.weighted(MARKETS);
    const channel = CHANNELS[index % CHANNELS.length] ?? "email";
    const { currency, priceLevel } = market;
    const costUnits = BILLED_FOR[channel] === "click" ? random.int(1_500, 9_000) : random.int(4, 60);
    return [{ id: `cmp_${theme}`, channel, currency, costUnits, priceLevel }, random.int(1, 10)];
  });
  return {
    next(nowMs) {
      const campaign = random.weighted(campaigns);
      const type = random.weighted(OUTCOMES);
      const units = BILLED_FOR[campaign.channel] === type ? Math.round(campaign.costUnits * campaign.priceLevel) : 0;
      const known = campaign.channel === "email" || campaign.channel === "push" || type === "conversion";
      const cents = Math.max(1, Math.round((800 + random.exponential(2_200)) * campaign.priceLevel));
      return {
        event_id: random.uuid(),
        campaign_id: campaign.id,
        event_timestamp: new Date(nowMs).toISOString(),
        event_type: type,
        channel: campaign.channel,
        ...(known ? { user_id: customerId(random.zipf(userRanks)) } : {}),
        ...(random.chance(0.7) ? { creative: random.pick(["a", "b", "hero-video"]) } : {}),
        currency: campaign.currency,
        cost: units / 10_000,
        ...(type === "conversion" ? { revenue: Math.min(cents, 100_000_000) / 100 } : {}),
        ...versionOf(random, campaign.channel),
      };
    },
  };
}
