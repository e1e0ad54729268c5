/** Mutations that know what an event is: fields dropped, retyped, made huge, deep or strange. */
import fc from "fast-check";
import type { Random } from "../../producers/simulators/random.ts";
import { isJsonObject } from "../../schemas/event-residue.ts";

type Json = Record<string, unknown>;

/** A string that `textOfEvent` writes as it stands, without quotes: number tokens and nestings that no JavaScript value has. */
const raw = (token: string): string => `#raw:${token}#`;
const RAW = /"#raw:([^"#]*)#"/g;

const NUMBERS = [
  ...["1e400", "-1e400", "-0", "0.1e1", "1E+2", "12345678901234567890", "9007199254740993", "-9223372036854775808"],
  ...["1.00000000000000000000001", "0.005", "99999999999999999.99", "1e-400", "2147483648", "1.5"],
].map(raw);
const TEXTS = [
  ...[
    "",
    " ",
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udc00x",
    "\u202eevil",
    "👩‍👩‍👧",
    "e\u0301",
    "\uffff",
    "\u2028",
    "null",
  ],
  ...["NaN", "true", "1", "';--", "../../x", "<b>", "$x", "%00", "\\u0000", "sluice:redact:v1", "sluice:hmac:v1:x"],
];
const TIMES = [
  ...["2026-02-30T00:00:00Z", "2026-01-01T23:59:60Z", "2026-01-01t00:00:00z", "1969-12-31T23:59:59.999999Z", "now"],
  ...["9999-12-31T23:59:59Z", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.123456789Z", "+1"],
];
const KEYS = ["__proto__", "constructor", "toString", "hasOwnProperty", "", "_extra", "_event", "a/b~c", "\u0000", "Ä"];
const VERSIONS = [1, 2, 3, 0, -1, 1.5, "1", null, raw("1e2"), 4_294_967_297];

/** Values of any shape from fast-check: equal for equal seeds. */
export function jsonPool(seed: number): readonly unknown[] {
  return fc.sample(fc.jsonValue({ maxDepth: 3 }), { seed, numRuns: 400 });
}

/** Changes `event` one to three times. `secret`, if there is one, is put into unknown fields and stays in masked ones. */
export function mutateEvent(
  event: Json,
  random: Random,
  pool: readonly unknown[],
  masked: ReadonlyMap<string, string>,
): void {
  for (let left = random.int(1, 3); left > 0; left--) mutateOnce(event, random, pool, masked);
}

function mutateOnce(event: Json, random: Random, pool: readonly unknown[], masked: ReadonlyMap<string, string>): void {
  // A copy: a later mutation may go inside of it, and the pool is every request's.
  const pooled = (): unknown => structuredClone(random.pick(pool));
  const holder = holderIn(event, random);
  const key = random.pick([...Object.keys(holder), "event_id"]);
  const secret = masked.size === 0 ? undefined : random.pick([...masked.values()]);
  switch (random.int(0, 9)) {
    case 0:
      delete holder[key];
      return;
    case 1:
      setOwn(holder, key, secret !== undefined && masked.has(key) ? wrapped(secret, random) : pooled());
      return;
    case 2:
      setOwn(holder, key, random.pick(NUMBERS));
      return;
    case 3:
      setOwn(holder, key, masked.has(key) ? `${String(holder[key])}${random.pick(TEXTS)}` : random.pick(TEXTS));
      return;
    case 4:
      setOwn(holder, key, random.pick(TIMES));
      return;
    case 5:
      setOwn(holder, random.pick(KEYS), secret ?? pooled());
      return;
    case 6:
      setOwn(event, "schema_version", random.pick(VERSIONS));
      return;
    case 7: {
      const depth = random.pick([2, 60, 600, 6_000]);
      const target = masked.has(key) || random.chance(0.5) ? key : "deep";
      setOwn(holder, target, raw("[".repeat(depth) + "]".repeat(depth)));
      return;
    }
    case 8: {
      const length = random.pick([100, 1_000, 10_000, 10_000, 120_000]);
      if (masked.has(key)) setOwn(holder, key, `${secret}${"x".repeat(length)}`);
      else setOwn(holder, key, "é".repeat(length));
      return;
    }
    default:
      setOwn(holder, secret ?? `unknown_${random.int(0, 9)}`, secret ?? pooled());
  }
}

/** The event, or an object inside of it. */
function holderIn(event: Json, random: Random): Json {
  if (random.chance(0.6)) return event;
  const inner = Object.values(event).flatMap((value) => (Array.isArray(value) ? value : [value]));
  const objects = inner.filter(isJsonObject);
  if (objects.length === 0) return event;
  return random.pick(objects);
}

function wrapped(secret: string, random: Random): unknown {
  return random.pick<unknown>([[secret], { [secret]: secret }, { value: [secret, 1] }, [[[secret]]]]);
}

function setOwn(target: Json, key: string, value: unknown): void {
  // Assignment to `__proto__` would set the prototype instead.
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}

/** The event as JSON text; now and then with a key that comes twice. */
export function textOfEvent(event: unknown, random: Random): string {
  const text = JSON.stringify(event).replace(RAW, "$1");
  if (!isJsonObject(event) || !random.chance(0.03)) return text;
  const key = random.pick([...Object.keys(event), "event_id"]);
  return text.replace("{", () => `{${JSON.stringify(key)}:${random.pick(["null", "1", '"x"', "{}"])},`);
}
