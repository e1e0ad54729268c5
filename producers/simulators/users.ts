/** The users' database as a daily incremental extract finds it: profiles whose owners changed something since. */
import { customerId, MARKETS, type Market } from "./catalogue.ts";
import type { PolledSource } from "./polling.ts";
import type { Random } from "./random.ts";

/** An event of the topic `users`, as it goes over the wire: e-mail, phone and address in clear, for the gateway to mask. */
export interface UserEvent {
  readonly event_id: string;
  readonly user_id: string;
  readonly event_timestamp: string;
  readonly status: "active" | "suspended" | "deleted";
  readonly tier: "basic" | "plus" | "gold";
  readonly email?: string;
  readonly phone?: string;
  readonly address?: string;
  readonly country: string;
  readonly signed_up_on: string;
  readonly marketing_consent: boolean;
  readonly updated_at: string;
}

export interface UserGenerator {
  /** A profile that somebody just changed, as an extract at this virtual time has it. */
  next(nowMs: number): UserEvent;
}

/** The customers of the shop (`catalogue.ts`). */
const USERS = 2_000;
const DAY_MS = 86_400_000;
/** The first sign-ups; the database knows nothing older. */
const FOUNDED_MS = Date.UTC(2022, 0, 1);
/** Sign-ups are spread over this long, so that from its end on every user is there. */
const SIGN_UP_DAYS = 1_400;

const FIRST_NAMES = [
  "ada",
  "björn",
  "chen",
  "divya",
  "emeka",
  "fatima",
  "grace",
  "hiro",
  "inés",
  "jürgen",
  "kofi",
  "lena",
];
const LAST_NAMES = [
  "lovelace",
  "borg",
  "wei",
  "patel",
  "okafor",
  "haddad",
  "hopper",
  "sato",
  "garcía",
  "weiß",
  "mensah",
];
const STREETS = ["Hauptstraße", "Main Street", "Rue de la Paix", "Calle Mayor", "MG Road", "桜通り", "High Street"];
const MAIL_DOMAINS = ["example.com", "example.org", "mail.example.net"];
const COUNTRIES: Readonly<Record<Market["currency"], { readonly country: string; readonly prefix: string }>> = {
  USD: { country: "US", prefix: "+1555" },
  EUR: { country: "DE", prefix: "+4930" },
  GBP: { country: "GB", prefix: "+4420" },
  INR: { country: "IN", prefix: "+9180" },
  JPY: { country: "JP", prefix: "+8130" },
};

/** What a user is from the first day; the rest changes with each version. */
interface Person {
  readonly id: string;
  readonly first: string;
  readonly last: string;
  readonly domain: string;
  readonly market: Market;
  readonly signedUpMs: number;
  /** How long a version of the profile lasts. */
  readonly everyMs: number;
}

function personOf(random: Random, number: number): Person {
  const own = random.fork(`person ${number}`);
  return {
    id: customerId(number),
    first: own.pick(FIRST_NAMES),
    last: own.pick(LAST_NAMES),
    domain: own.pick(MAIL_DOMAINS),
    market: own.weighted(MARKETS),
    signedUpMs: FOUNDED_MS + Math.floor(own.float() * SIGN_UP_DAYS * DAY_MS),
    everyMs: Math.floor((10 + own.exponential(30)) * DAY_MS),
  };
}

/** The profile's version `version` (0 is the sign-up), changed at `updatedMs`, as an extract at `extractMs` has it. */
function profile(person: Person, random: Random, version: number, updatedMs: number, extractMs: number): UserEvent {
  const own = random.fork(`${person.id} ${version}`);
  // A deletion is a version like any other: who comes back starts anew.
  const status = own.weighted<UserEvent["status"]>([
    ["active", 95],
    ["suspended", 2],
    ["deleted", 3],
  ]);
  const number = own.int(1_000_000, 9_999_999);
  const { country, prefix } = COUNTRIES[person.market.currency];
  const city = own.pick(person.market.cities);
  return {
    event_id: `${person.id}@${new Date(updatedMs).toISOString()}`,
    user_id: person.id,
    event_timestamp: new Date(extractMs).toISOString(),
    status,
    tier: own.weighted<UserEvent["tier"]>([
      ["basic", 70],
      ["plus", 22],
      ["gold", 8],
    ]),
    ...(status === "deleted"
      ? {}
      : {
          email: `${person.first}.${person.last}.${person.id.slice(4)}@${person.domain}`,
          ...(own.chance(0.8) ? { phone: `${prefix}${number}` } : {}),
          ...(own.chance(0.9) ? { address: `${own.pick(STREETS)} ${own.int(1, 180)}, ${city}` } : {}),
        }),
    country,
    signed_up_on: new Date(person.signedUpMs).toISOString().slice(0, 10),
    marketing_consent: own.chance(0.4),
    updated_at: new Date(updatedMs).toISOString(),
  };
}

/** Changes at the caller's pace, for runs that are counted in events. */
export function createUsers(random: Random): UserGenerator {
  const profiles = random.fork("profiles");
  const latest = new Map<number, { readonly person: Person; version: number; updatedMs: number }>();
  return {
    next(nowMs) {
      const number = random.int(1, USERS);
      const user = latest.get(number) ?? { person: personOf(profiles, number), version: 0, updatedMs: 0 };
      latest.set(number, user);
      user.version += 1;
      // A version a millisecond at most: the time is part of the id.
      user.updatedMs = Math.max(nowMs - random.int(0, 3_600_000), user.updatedMs + 1);
      return profile(user.person, profiles, user.version, user.updatedMs, nowMs);
    },
  };
}

/** Of each user who changed something since the watermark the latest version, by the time of the change. */
export function userExtracts(random: Random): PolledSource<UserEvent> {
  const profiles = random.fork("profiles");
  const people = Array.from({ length: USERS }, (_, index) => personOf(profiles, index + 1));
  return {
    topic: "users",
    everyMs: DAY_MS,
    poll(watermarkMs, nowMs) {
      const changed = people.flatMap((person) => {
        const version = Math.floor((nowMs - person.signedUpMs) / person.everyMs);
        const updatedMs = person.signedUpMs + version * person.everyMs;
        if (version < 0 || (watermarkMs !== null && updatedMs <= watermarkMs)) return [];
        return [{ person, version, updatedMs }];
      });
      changed.sort((a, b) => a.updatedMs - b.updatedMs);
      return {
        events: changed.map(({ person, version, updatedMs }) => profile(person, profiles, version, updatedMs, nowMs)),
        watermarkMs: changed.at(-1)?.updatedMs ?? watermarkMs ?? nowMs,
      };
    },
  };
}
