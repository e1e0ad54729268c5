/** The restaurants' database as hourly snapshots find it: every branch with its whole menu, prices and opening times moving slowly. */
import { type Currency, DISHES, type Dish, MARKETS, type Market, priceIn, RESTAURANTS } from "./catalogue.ts";
import type { PolledSource } from "./polling.ts";
import type { Random } from "./random.ts";

export type Cuisine =
  | "italian"
  | "american"
  | "indian"
  | "japanese"
  | "thai"
  | "mexican"
  | "french"
  | "british"
  | "lebanese"
  | "alpine";

export interface MenuItem {
  readonly sku: string;
  readonly name: string;
  readonly category: "starter" | "main" | "side" | "dessert" | "drink";
  readonly price: number;
  readonly available: boolean;
  readonly description?: string;
}

/** An event of the topic `restaurants`, as it goes over the wire. */
export interface RestaurantEvent {
  readonly event_id: string;
  readonly restaurant_id: string;
  readonly event_timestamp: string;
  readonly name: string;
  readonly cuisine: Cuisine;
  readonly city: string;
  readonly currency: Currency;
  readonly is_open: boolean;
  readonly rating: number;
  readonly rating_count: number;
  readonly delivery_fee: number;
  readonly opened_on?: string;
  readonly menu_items: readonly MenuItem[];
}

export interface RestaurantGenerator {
  /** The next branch of the snapshot under way; a new snapshot begins when the last is through. */
  next(nowMs: number): RestaurantEvent;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const CUISINES: readonly Cuisine[] = [
  "italian",
  "american",
  "indian",
  "japanese",
  "thai",
  "american",
  "mexican",
  "french",
  "british",
  "lebanese",
  "alpine",
  "american",
];

interface Branch {
  readonly id: string;
  readonly name: string;
  readonly cuisine: Cuisine;
  readonly city: string;
  readonly market: Market;
  readonly rating: number;
  readonly ratingsADay: number;
  readonly feeCents: number;
  readonly openedMs: number | null;
  readonly opensHour: number;
  readonly menu: readonly { readonly dish: Dish; readonly described: boolean }[];
}

/** Each chain of the catalogue has a branch in each market. The same stream of chance gives the same branches. */
function openBranches(random: Random): readonly Branch[] {
  return RESTAURANTS.flatMap((slug, chain) =>
    MARKETS.map(([market], place): Branch => {
      const own = random.fork(`${slug}/${market.currency}`);
      const known = own.chance(0.8);
      return {
        id: `rst_${String(chain * MARKETS.length + place + 1).padStart(3, "0")}`,
        name: slug.replace(/(^|-)(\w)/g, (_, dash: string, letter: string) => (dash && " ") + letter.toUpperCase()),
        cuisine: CUISINES[chain] ?? "american",
        city: own.pick(market.cities),
        market,
        rating: own.int(28, 49) / 10,
        ratingsADay: own.int(1, 60),
        feeCents: own.int(0, 5) * 100 * Math.max(1, Math.round(market.priceLevel)),
        openedMs: known ? Date.UTC(2012, 0, 1) + own.int(0, 4_500) * DAY_MS : null,
        opensHour: own.int(5, 11),
        menu: DISHES.filter(() => own.chance(0.35)).map((dish) => ({ dish, described: own.chance(0.3) })),
      };
    }),
  ).filter((branch) => branch.menu.length > 0);
}

/** What a snapshot taken at `snapshotMs` says of a branch: the same for the same moment, whoever takes it. */
function rowAt(branch: Branch, random: Random, snapshotMs: number): RestaurantEvent {
  const chance = random.fork(`${branch.id}@${snapshotMs}`);
  const sinceOpening = (new Date(snapshotMs).getUTCHours() + 24 - branch.opensHour) % 24;
  const ageDays = Math.max(0, Math.floor((snapshotMs - (branch.openedMs ?? Date.UTC(2024, 0, 1))) / DAY_MS));
  const items = branch.menu.map(
    ({ dish, described }, index): MenuItem => ({
      sku: dish.sku,
      name: dish.name,
      category: categoryOf(dish),
      price: priceIn(branch.market, dish) / 100,
      // The first dish never runs out, so that an open restaurant always has one.
      available: index === 0 || chance.chance(0.93),
      ...(described ? { description: `${dish.name}, as the house makes it` } : {}),
    }),
  );
  return {
    event_id: `${branch.id}@${new Date(snapshotMs).toISOString()}`,
    restaurant_id: branch.id,
    event_timestamp: new Date(snapshotMs).toISOString(),
    name: branch.name,
    cuisine: branch.cuisine,
    city: branch.city,
    currency: branch.market.currency,
    is_open: sinceOpening < 14,
    rating: Math.min(5, Math.round((branch.rating + chance.normal(0, 0.02)) * 100) / 100),
    rating_count: branch.ratingsADay * ageDays,
    delivery_fee: branch.feeCents / 100,
    ...(branch.openedMs === null ? {} : { opened_on: new Date(branch.openedMs).toISOString().slice(0, 10) }),
    menu_items: items,
  };
}

function categoryOf({ name, priceCents }: Dish): MenuItem["category"] {
  if (/lassi|latte|espresso|lemonade/i.test(name)) return "drink";
  if (/brûlée|cheesecake|tiramis/i.test(name)) return "dessert";
  if (priceCents < 500) return "side";
  return priceCents < 1_000 ? "starter" : "main";
}

/** Snapshots one after the other, a branch a call: for runs that are counted in events. */
export function createRestaurants(random: Random): RestaurantGenerator {
  const branches = openBranches(random.fork("branches"));
  const rows = random.fork("rows");
  let at = branches.length;
  let snapshotMs = 0;
  return {
    next(nowMs) {
      if (at >= branches.length) {
        // A snapshot a millisecond at most: its time is part of the ids.
        snapshotMs = Math.max(nowMs, snapshotMs + 1);
        at = 0;
      }
      const branch = branches[at++];
      if (branch === undefined) throw new RangeError(`no branch ${at}`);
      return rowAt(branch, rows, snapshotMs);
    },
  };
}

/** The whole snapshot of the current hour, unless the watermark says that it was taken. Hours that were missed are gone. */
export function restaurantSnapshots(random: Random): PolledSource<RestaurantEvent> {
  const branches = openBranches(random.fork("branches"));
  const rows = random.fork("rows");
  return {
    topic: "restaurants",
    everyMs: HOUR_MS,
    poll(watermarkMs, nowMs) {
      const hourMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
      if (watermarkMs !== null && watermarkMs >= hourMs) return { events: [], watermarkMs };
      return { events: branches.map((branch) => rowAt(branch, rows, hourMs)), watermarkMs: hourMs };
    },
  };
}
