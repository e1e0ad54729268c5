/** Fifty virtual users who walk, session by session, from opening the app towards an order, and mostly give up on the way. */
import { customerId, MARKETS, pickDish, pickRestaurant } from "./catalogue.ts";
import type { Random } from "./random.ts";

export type ClickType =
  | "app_open"
  | "page_view"
  | "search"
  | "view_restaurant"
  | "view_item"
  | "add_to_cart"
  | "remove_from_cart"
  | "checkout_start"
  | "payment_attempt"
  | "order_placed"
  | "app_close";

/** An event of the topic `clickstream`, as it goes over the wire. */
export interface ClickEvent {
  readonly event_id: string;
  readonly session_id: string;
  readonly user_id?: string;
  readonly event_timestamp: string;
  readonly event_type: ClickType;
  readonly page: string;
  readonly referrer?: string;
  readonly device: "ios" | "android" | "desktop" | "tablet";
  readonly city?: string;
  readonly product_id?: string;
  readonly search_term?: string;
  readonly duration_ms?: number;
  readonly scroll_depth?: number;
}

export interface ClickGenerator {
  /** The next act of any user, at this virtual time (milliseconds since the epoch, never decreasing). */
  next(nowMs: number): ClickEvent;
}

/**
 * The funnel: what follows an act, by weight, and the mean think time before the next act in seconds. A cart may forbid a
 * step (nothing to remove, nothing to pay); the others then share its weight.
 */
export const FUNNEL: Readonly<
  Record<ClickType, { readonly thinkSeconds: number; readonly next: readonly (readonly [ClickType, number])[] }>
> = {
  app_open: {
    thinkSeconds: 4,
    next: [
      ["page_view", 50],
      ["search", 30],
      ["view_restaurant", 15],
      ["app_close", 5],
    ],
  },
  page_view: {
    thinkSeconds: 15,
    next: [
      ["view_restaurant", 42],
      ["search", 33],
      ["page_view", 10],
      ["app_close", 15],
    ],
  },
  search: {
    thinkSeconds: 8,
    next: [
      ["view_restaurant", 62],
      ["search", 20],
      ["page_view", 5],
      ["app_close", 13],
    ],
  },
  view_restaurant: {
    thinkSeconds: 25,
    next: [
      ["view_item", 65],
      ["page_view", 10],
      ["search", 10],
      ["app_close", 15],
    ],
  },
  view_item: {
    thinkSeconds: 18,
    next: [
      ["add_to_cart", 40],
      ["view_item", 30],
      ["view_restaurant", 15],
      ["app_close", 15],
    ],
  },
  add_to_cart: {
    thinkSeconds: 6,
    next: [
      ["checkout_start", 45],
      ["view_item", 35],
      ["remove_from_cart", 12],
      ["app_close", 8],
    ],
  },
  remove_from_cart: {
    thinkSeconds: 7,
    next: [
      ["view_item", 50],
      ["checkout_start", 25],
      ["app_close", 25],
    ],
  },
  checkout_start: {
    thinkSeconds: 30,
    next: [
      ["payment_attempt", 75],
      ["view_item", 10],
      ["app_close", 15],
    ],
  },
  payment_attempt: {
    thinkSeconds: 10,
    next: [
      ["order_placed", 85],
      ["payment_attempt", 10],
      ["app_close", 5],
    ],
  },
  order_placed: {
    thinkSeconds: 12,
    next: [
      ["app_close", 70],
      ["page_view", 30],
    ],
  },
  app_close: { thinkSeconds: 0, next: [] },
};

const USERS = 50;
/** A session ends after half an hour without an act: the usual definition in web analytics. */
const SESSION_TIMEOUT_MS = 30 * 60_000;
const SEARCH_TERMS = ["pizza", "vegan", "sushi", "ramen", "burger", "near me", "döner", "ラーメン", "gluten free"];
const REFERRERS = ["https://www.google.com/", "https://www.instagram.com/", "https://news.example.org/food"];

interface User {
  readonly id: string;
  readonly device: ClickEvent["device"];
  readonly city: string;
  session: Session | null;
}

interface Session {
  readonly id: string;
  readonly referrer: string | null;
  signedIn: boolean;
  restaurant: string;
  sku: string;
  cart: string[];
  next: ClickType;
  dueMs: number;
  lastMs: number | null;
}

/**
 * Sessions of the virtual users. Who acts next follows from think times; how many are on the site at once follows from how
 * often `next` is called: with little traffic a session or two, with much all fifty.
 */
export function createClickstream(random: Random): ClickGenerator {
  const users: User[] = Array.from({ length: USERS }, (_, index) => ({
    id: customerId(index + 1),
    device: random.weighted<ClickEvent["device"]>([
      ["ios", 34],
      ["android", 36],
      ["desktop", 24],
      ["tablet", 6],
    ]),
    city: random.pick(random.weighted(MARKETS).cities),
    session: null,
  }));
  return {
    next(nowMs) {
      const { user, session } = chooseActor(random, users, nowMs);
      const event = act(random, user, session, nowMs);
      if (event.event_type === "app_close") user.session = null;
      else planNextAct(random, session, event.event_type, nowMs);
      return event;
    },
  };
}

/** Whoever has waited longest past the planned time; else somebody new; else, with everybody on the site, the most impatient. */
function chooseActor(random: Random, users: readonly User[], nowMs: number): { user: User; session: Session } {
  const idle: User[] = [];
  let soonest: { user: User; session: Session } | undefined;
  for (const user of users) {
    const { session } = user;
    if (session === null || nowMs - (session.lastMs ?? nowMs) > SESSION_TIMEOUT_MS) idle.push(user);
    else if (soonest === undefined || session.dueMs < soonest.session.dueMs) soonest = { user, session };
  }
  if (soonest !== undefined && (soonest.session.dueMs <= nowMs || idle.length === 0)) return soonest;
  const user = random.pick(idle);
  const session: Session = {
    id: random.uuid(),
    referrer: user.device === "desktop" && random.chance(0.5) ? random.pick(REFERRERS) : null,
    signedIn: random.chance(0.8),
    restaurant: pickRestaurant(random),
    sku: pickDish(random).sku,
    cart: [],
    next: "app_open",
    dueMs: nowMs,
    lastMs: null,
  };
  user.session = session;
  return { user, session };
}

function act(random: Random, user: User, session: Session, nowMs: number): ClickEvent {
  const type = session.next;
  const searchTerm = type === "search" ? random.pick(SEARCH_TERMS) : undefined;
  if (type === "view_restaurant") session.restaurant = pickRestaurant(random);
  if (type === "view_item") session.sku = pickDish(random).sku;
  if (type === "add_to_cart") session.cart.push(session.sku);
  if (type === "remove_from_cart") session.sku = session.cart.pop() ?? session.sku;
  if (type === "order_placed") session.cart = [];
  // Nobody checks out anonymously.
  if (type === "checkout_start") session.signedIn = true;
  const aboutItem = type === "view_item" || type === "add_to_cart" || type === "remove_from_cart";
  const read = type === "page_view" || type === "view_restaurant" || type === "view_item";
  return {
    event_id: random.uuid(),
    session_id: session.id,
    ...(session.signedIn ? { user_id: user.id } : {}),
    event_timestamp: new Date(nowMs).toISOString(),
    event_type: type,
    page: pageOf(type, session),
    ...(type === "app_open" && session.referrer !== null ? { referrer: session.referrer } : {}),
    device: user.device,
    city: user.city,
    ...(aboutItem ? { product_id: session.sku } : {}),
    ...(searchTerm === undefined ? {} : { search_term: searchTerm }),
    ...(session.lastMs === null ? {} : { duration_ms: nowMs - session.lastMs }),
    ...(read ? { scroll_depth: Math.round(random.float() * 100) / 100 } : {}),
  };
}

function planNextAct(random: Random, session: Session, done: ClickType, nowMs: number): void {
  const { thinkSeconds, next } = FUNNEL[done];
  const possible = next.filter(
    ([type]) => session.cart.length > 0 || (type !== "remove_from_cart" && type !== "checkout_start"),
  );
  session.next = random.weighted(possible);
  session.dueMs = nowMs + 500 + random.exponential(thinkSeconds * 1_000);
  session.lastMs = nowMs;
}

function pageOf(type: ClickType, session: Session): string {
  switch (type) {
    case "app_open":
    case "page_view":
    case "app_close":
      return "/";
    case "search":
      return "/search";
    case "view_restaurant":
      return `/restaurants/${session.restaurant}`;
    case "view_item":
    case "add_to_cart":
      return `/restaurants/${session.restaurant}/items/${session.sku}`;
    case "remove_from_cart":
      return "/cart";
    case "checkout_start":
      return "/checkout";
    case "payment_attempt":
      return "/checkout/payment";
    case "order_placed":
      return "/checkout/thanks";
  }
}
