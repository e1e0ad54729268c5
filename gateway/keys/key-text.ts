/** The text of a key: `sk_<environment>_<random>`, or `pk_...` for a publishable one. Only its hash is ever stored. */
import type { KeyKind } from "../../sql/statements/keys.ts";
import type { Environment } from "../deps.ts";
import { sha256Hex } from "../sha256.ts";

export const PUBLISHABLE_PREFIX = "pk_";

/** 256 bits: a key cannot be guessed, so its unsalted hash says nothing of it. */
const RANDOM_BYTES = 32;
/** 32 bytes in base64url are 43 characters. */
const KEY = /^[sp]k_(local|staging|production)_[A-Za-z0-9_-]{43}$/;

export interface MintedKey {
  /** Shown once. */
  readonly key: string;
  readonly keyHash: string;
  /** Public: it names the key in lists and logs. */
  readonly keyId: string;
}

/** Makes a key. `randomBytes` gives as many unpredictable bytes as asked for. */
export function mintKey(
  kind: KeyKind,
  environment: Environment,
  randomBytes: (length: number) => Uint8Array,
): MintedKey {
  let random: string;
  do random = Buffer.from(randomBytes(RANDOM_BYTES)).toString("base64url");
  while (!looksLikeKey(random));
  const key = `${kind === "publishable" ? PUBLISHABLE_PREFIX : "sk_"}${environment}_${random}`;
  const keyHash = sha256Hex(key);
  return { key, keyHash, keyId: `key_${keyHash.slice(0, 12)}` };
}

/** The environment that a key was made for; undefined for a text that is no key. */
export function environmentOfKey(key: string): Environment | undefined {
  const environment = KEY.exec(key)?.[1];
  return environment === "local" || environment === "staging" || environment === "production" ? environment : undefined;
}

// Cloudflare's logs redact what looks like base64 in an address: two of each kind of character (Workers, Tail handler,
// "URL redaction"). Our own log never has the query; this is for logs that are not ours. One try in 160 fails.
function looksLikeKey(random: string): boolean {
  return [/[a-z].*[a-z]/, /[A-Z].*[A-Z]/, /\d.*\d/].every((kind) => kind.test(random));
}
