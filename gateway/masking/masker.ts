/** Masks and seals values with the current keys. Deterministic but for the random ivs, which come in as an argument. */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from "node:crypto";
import type { Masking } from "../../contracts/contract.ts";
import type { Keyring } from "./keyring.ts";
import { isKeptDomain, REDACTED, sealedParts } from "./tags.ts";

export interface Masker {
  /** The value that is stored for a clear one. Equal texts give equal values under one key; formats in `tags.ts`. */
  mask(masking: Masking, text: string): string;
  /** Encrypts what cannot be masked field by field, for `topic` only; `unseal` reads it. */
  seal(topic: string, content: string | Uint8Array): string;
  /** Keyed digests of a text, `v<k>:<64 hexadecimal>`, one a key and the current one's first: equal texts can be told by them, guessed ones cannot. */
  digests(text: string): readonly string[];
}

/** `randomBytes` gives unpredictable bytes: an iv must not repeat under one key (NIST SP 800-38D, section 8.2.2: at most 2^32 seals a key). */
export function createMasker(
  keys: { readonly masking: Keyring; readonly payload: Keyring },
  randomBytes: (length: number) => Uint8Array,
): Masker {
  const { masking: maskingKeys, payload: payloadKeys } = keys;
  return {
    mask: (masking, text) => maskedValue(masking, text, maskingKeys),
    seal(topic, content) {
      const { current } = payloadKeys;
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv(CIPHER, keyOf(payloadKeys, current), iv);
      cipher.setAAD(boundTo(topic, current));
      const clear = typeof content === "string" ? Buffer.from(content) : content;
      // workerd's cipher throws when it is given no bytes, as the rest of an Avro block may be.
      const encrypted = clear.byteLength === 0 ? clear : cipher.update(clear);
      const bytes = Buffer.concat([iv, encrypted, cipher.final(), cipher.getAuthTag()]);
      return `sluice:aes:v1:${current}:${bytes.toString("base64url")}`;
    },
    digests(text) {
      const { current, keys: numbered } = maskingKeys;
      const earlier = [...numbered.keys()].filter((version) => version !== current).sort((a, b) => b - a);
      return [current, ...earlier].map((version) => `v${version}:${digestOf(text, maskingKeys, version)}`);
    },
  };
}

/** What a clear value is stored as under one key: the current one, or an older one to find values of before a rotation. */
export function maskedValue(masking: Masking, text: string, keyring: Keyring, version = keyring.current): string {
  switch (masking) {
    case "hmac":
      return `sluice:hmac:v${version}:${hashOf(text, keyring, version)}`;
    case "redact":
      return REDACTED;
    case "email": {
      const at = text.lastIndexOf("@");
      const domain = text.slice(at + 1).toLowerCase();
      // What is no address has no domain: its end may be anything, so all of it is hashed.
      if (at < 1 || !isKeptDomain(domain)) return maskedValue("hmac", text, keyring, version);
      return `sluice:email:v${version}:${hashOf(text.slice(0, at), keyring, version)}@${domain}`;
    }
  }
}

/**
 * The first 128 bits as base64url, of which the 22nd character has two. The hash is a text from the start: making a buffer of it
 * first, and a text of that, takes half as long again (bench gateway, users).
 */
function hashOf(text: string, keyring: Keyring, version: number): string {
  const hash = createHmac("sha256", secretOf(keyOf(keyring, version)))
    .update(text)
    .digest("base64url");
  return hash.slice(0, 21) + lastCharacter(hash.charAt(21));
}

/** The character of base64url with the same first two bits, and no others. */
function lastCharacter(character: string): string {
  if (character >= "A" && character <= "P") return "A";
  if ((character >= "Q" && character <= "Z") || (character >= "a" && character <= "f")) return "Q";
  return character >= "g" && character <= "v" ? "g" : "w";
}

/** With a key of its own: a masked value must not be the digest of a text that a producer chose. */
function digestOf(text: string, keyring: Keyring, version: number): string {
  const key = createHmac("sha256", secretOf(keyOf(keyring, version)))
    .update("sluice digests")
    .digest();
  return createHmac("sha256", key).update(text).digest("hex");
}

/** A text that is no sealed value, or that was sealed with another key or for another topic, or altered. */
export class UnsealError extends Error {
  override readonly name = "UnsealError";
}

/** The clear bytes of a value sealed for `topic`. For replay and erasure only. Throws `UnsealError`. */
export function unseal(topic: string, sealed: string, keyring: Keyring): Uint8Array {
  const parts = sealedParts(sealed);
  if (parts === undefined) throw new UnsealError("this is no sealed value");
  const { key, base64 } = parts;
  const secret = keyring.keys.get(key);
  if (secret === undefined) throw new UnsealError(`PAYLOAD_KEYS has no key ${key}, with which this was sealed`);
  const bytes = Buffer.from(base64, "base64url");
  const decipher = createDecipheriv(CIPHER, secret, bytes.subarray(0, IV_BYTES));
  decipher.setAAD(boundTo(topic, key));
  decipher.setAuthTag(bytes.subarray(-AUTH_TAG_BYTES));
  try {
    const encrypted = bytes.subarray(IV_BYTES, -AUTH_TAG_BYTES);
    const clear = encrypted.byteLength === 0 ? encrypted : decipher.update(encrypted);
    return Buffer.concat([clear, decipher.final()]);
  } catch {
    throw new UnsealError(`this was not sealed for topic ${topic} with key ${key}, or was altered`);
  }
}

const CIPHER = "aes-256-gcm";
const IV_BYTES = 12;
const AUTH_TAG_BYTES = 16;

/** The associated data: a value sealed for one topic cannot be opened as another's, nor under another key's number. */
function boundTo(topic: string, key: number): Buffer {
  return Buffer.from(`sluice:aes:v1:${key}:${topic}`);
}

// Handing over the bytes makes a key object for each hash, which takes several times as long as the hash (bench gateway, users).
const secrets = new WeakMap<Uint8Array, KeyObject>();

function secretOf(key: Uint8Array): KeyObject {
  let secret = secrets.get(key);
  if (secret === undefined) {
    secret = createSecretKey(key);
    secrets.set(key, secret);
  }
  return secret;
}

function keyOf(keyring: Keyring, version: number): Uint8Array {
  const key = keyring.keys.get(version);
  if (key === undefined) throw new RangeError(`there is no key ${version}`);
  return key;
}
