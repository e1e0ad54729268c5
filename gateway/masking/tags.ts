/**
 * The forms of masked and sealed values. Base64 is base64url without padding (RFC 4648, section 5); k is the number of the key.
 *
 *     sluice:hmac:v<k>:<22 characters>              HMAC-SHA-256 of the UTF-8 value, its first 128 bits
 *     sluice:email:v<k>:<22 characters>@<domain>    the same of the local part; the domain in lower case
 *     sluice:redact:v1                              a constant
 *     sluice:aes:v1:<k>:<iv, ciphertext, tag>       AES-256-GCM, 96-bit iv, 128-bit tag
 */
import type { Masking } from "../../contracts/contract.ts";

/** What every tag begins with. */
export const TAG_PREFIX = "sluice:";
export const REDACTED = "sluice:redact:v1";

// The 22nd character carries the last two of 128 bits: only four are canonical.
const HMAC = /^sluice:hmac:v[1-9]\d{0,5}:[A-Za-z0-9_-]{21}[AQgw]$/;
const EMAIL = /^sluice:email:v[1-9]\d{0,5}:[A-Za-z0-9_-]{21}[AQgw]@(.*)$/s;
const SEALED = /^sluice:aes:v1:([1-9]\d{0,5}):([A-Za-z0-9_-]{38,})$/;
// Labels of letters, digits and hyphens, the last starting with a letter: an address such as 1@2 has no domain to keep.
const DOMAIN = /^(?=.{1,253}$)(?:[\p{L}\p{N}][\p{L}\p{M}\p{N}-]{0,62}\.)+\p{L}[\p{L}\p{M}\p{N}-]{0,62}$/u;

/** Whether a domain is one that may be kept beside a hash: lower case, at least two labels, nothing that is no host name. */
export function isKeptDomain(domain: string): boolean {
  return DOMAIN.test(domain) && domain === domain.toLowerCase();
}

/**
 * Whether a text is exactly what this masking writes. Only for values that the platform itself stored (replay): a producer can write
 * such a text too, so at the front door it is judged and masked as any other value.
 */
export function isMaskedValue(text: string, masking: Masking): boolean {
  switch (masking) {
    case "hmac":
      return HMAC.test(text);
    case "redact":
      return text === REDACTED;
    case "email": {
      const domain = EMAIL.exec(text)?.[1];
      // An address without a domain that can be kept is hashed whole.
      return domain === undefined ? HMAC.test(text) : isKeptDomain(domain);
    }
  }
}

/** Whether a text has the form of any masked value; the same holds of it as of `isMaskedValue`. */
export function hasMaskedForm(text: string): boolean {
  return text.startsWith(TAG_PREFIX) && (isMaskedValue(text, "email") || isMaskedValue(text, "redact"));
}

/** The parts of a sealed value, or undefined if the text is none. */
export function sealedParts(text: string): { readonly key: number; readonly base64: string } | undefined {
  const [, key, base64] = SEALED.exec(text) ?? [];
  return key === undefined || base64 === undefined ? undefined : { key: Number(key), base64 };
}
