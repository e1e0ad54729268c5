/** The made-up shop that all simulators share: a food delivery service, its restaurants, dishes, markets and customers. */
import { createZipf, type Random } from "./random.ts";

export interface Dish {
  readonly sku: string;
  readonly name: string;
  /** Base price in US cents. */
  readonly priceCents: number;
}

const MENU: readonly (readonly [name: string, priceCents: number])[] = [
  ["Margherita pizza", 1150],
  ["Pepperoni pizza", 1350],
  ["Cheeseburger", 1090],
  ["Veggie burger", 1040],
  ["Fries", 390],
  ["Chicken biryani", 1290],
  ["Paneer tikka", 1120],
  ["Masala dosa", 890],
  ["Garlic naan", 320],
  ["Mango lassi", 410],
  ["Salmon nigiri", 1480],
  ["Ramen 豚骨", 1390],
  ["Gyoza", 690],
  ["Matcha latte", 520],
  ["Pad thai", 1180],
  ["Green curry", 1240],
  ["Spring rolls", 590],
  ["Caesar salad", 980],
  ["Tomato soup", 640],
  ["Crème brûlée", 730],
  ["Käsespätzle", 1150],
  ["Fish & chips", 1310],
  ["Tacos al pastor", 1060],
  ["Burrito", 1120],
  ["Falafel wrap", 870],
  ["Hummus", 560],
  ["Espresso", 290],
  ["Lemonade", 350],
  ["Cheesecake", 680],
  ["Tiramisù", 710],
];

export const DISHES: readonly Dish[] = MENU.map(([name, priceCents], index) => ({
  sku: `sku_${String(index + 1).padStart(4, "0")}`,
  name,
  priceCents,
}));

export const RESTAURANTS: readonly string[] = [
  "napoli-express",
  "burger-yard",
  "spice-route",
  "sakura-kitchen",
  "bangkok-street",
  "green-bowl",
  "casa-taqueria",
  "le-petit-four",
  "the-chip-shop",
  "cedar-house",
  "alpenstube",
  "night-owl-diner",
];

export type Currency = "USD" | "EUR" | "GBP" | "INR" | "JPY";

export interface Market {
  readonly currency: Currency;
  /** Local cents for one US cent of base price; a fixed price level, not an exchange rate. */
  readonly priceLevel: number;
  /** Prices are multiples of this many cents: yen have no decimals. */
  readonly roundingCents: number;
  readonly cities: readonly string[];
}

/** Markets with their share of customers. */
export const MARKETS: readonly (readonly [market: Market, share: number])[] = [
  [{ currency: "USD", priceLevel: 1, roundingCents: 1, cities: ["New York", "Chicago", "Austin", "Seattle"] }, 40],
  [{ currency: "EUR", priceLevel: 0.95, roundingCents: 5, cities: ["Berlin", "Paris", "München", "Lisboa"] }, 25],
  [{ currency: "GBP", priceLevel: 0.85, roundingCents: 5, cities: ["London", "Manchester"] }, 15],
  [{ currency: "INR", priceLevel: 30, roundingCents: 100, cities: ["Mumbai", "Bengaluru", "Delhi"] }, 12],
  [{ currency: "JPY", priceLevel: 110, roundingCents: 100, cities: ["東京", "大阪"] }, 8],
];

export function priceIn(market: Market, dish: Dish): number {
  const cents = Math.round((dish.priceCents * market.priceLevel) / market.roundingCents) * market.roundingCents;
  return Math.max(market.roundingCents, cents);
}

// Exponents near 1 are what demand studies report for goods, lower ones for people: a few regulars, a long tail.
const dishRanks = createZipf(DISHES.length, 1);
const restaurantRanks = createZipf(RESTAURANTS.length, 0.8);
const customerRanks = createZipf(2_000, 0.7);

/** A dish, popular ones more often. */
export function pickDish(random: Random): Dish {
  return byRank(DISHES, random.zipf(dishRanks));
}

/** A restaurant's name in a path, popular ones more often. */
export function pickRestaurant(random: Random): string {
  return byRank(RESTAURANTS, random.zipf(restaurantRanks));
}

/** The id of one of 2,000 customers, regulars more often. */
export function pickCustomer(random: Random): string {
  return customerId(random.zipf(customerRanks));
}

/** Customers are numbered from 1, the most frequent first. */
export function customerId(number: number): string {
  return `cus_${String(number).padStart(5, "0")}`;
}

function byRank<T>(items: readonly T[], rank: number): T {
  const item = items[rank - 1];
  if (item === undefined) throw new RangeError(`rank ${rank} of ${items.length}`);
  return item;
}
