import { createHash, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fingerprinted } from "../../../../gateway/idempotency/fingerprint.ts";
import { type MaskingSecrets, readMaskingKeys } from "../../../../gateway/masking/keyring.ts";
import { LOCAL_ONLY_MASKING_KEYS, LOCAL_ONLY_PAYLOAD_KEYS } from "../../../../gateway/masking/local-keys.ts";
import { createMasker, maskedValue, UnsealError, unseal } from "../../../../gateway/masking/masker.ts";
import { isMaskedValue, REDACTED } from "../../../../gateway/masking/tags.ts";

const keyText = (fill: number, bytes = 32) => Buffer.alloc(bytes, fill).toString("base64");
const ring = (current: number, ...numbers: number[]) =>
  JSON.stringify({ current, keys: Object.fromEntries(numbers.map((number) => [number, keyText(number)])) });

function keysOf(secrets: MaskingSecrets) {
  const keys = readMaskingKeys(secrets, false);
  if (!keys.ok) throw new Error(keys.reason);
  return keys;
}
let ivs = 0;
const counting = (length: number) => new Uint8Array(length).fill(++ivs);
const before = keysOf({ MASKING_KEYS: ring(1, 1), PAYLOAD_KEYS: ring(1, 1) });
const after = keysOf({ MASKING_KEYS: ring(2, 1, 2), PAYLOAD_KEYS: ring(2, 1, 2) });

describe("masked values", () => {
  const masker = createMasker(before, counting);

  test("a hash is HMAC-SHA-256 of the value, cut to 128 bits, and equal values are equal", () => {
    const expected = createHmac("sha256", Buffer.alloc(32, 1))
      .update("Zoë")
      .digest()
      .subarray(0, 16)
      .toString("base64url");
    expect(masker.mask("hmac", "Zoë")).toBe(`sluice:hmac:v1:${expected}`);
    expect(masker.mask("hmac", "Zoë")).toBe(createMasker(before, counting).mask("hmac", "Zoë"));
    expect(masker.mask("hmac", "Zoe")).not.toBe(masker.mask("hmac", "Zoë"));
  });

  test("an address keeps its domain in lower case and the hash of its local part", () => {
    const local = masker.mask("hmac", "Ada.L").replace("sluice:hmac:v1:", "");
    expect(masker.mask("email", "Ada.L@Mail.Example.COM")).toBe(`sluice:email:v1:${local}@mail.example.com`);
    expect(masker.mask("email", '"a@b"@example.com')).toMatch(/@example\.com$/);
  });

  test.each([
    "no address",
    "@example.com",
    "ada@",
    "ada@local",
    "ada@1.2.3.4",
    "a@b c.de",
    "ada@x.de\n",
    "ada@-x.de",
    "",
  ])("what is no address is hashed whole: %j", (text) =>
    expect(masker.mask("email", text)).toBe(masker.mask("hmac", text)),
  );

  test("a redacted value says nothing", () => {
    expect(masker.mask("redact", "a")).toBe(REDACTED);
    expect(masker.mask("redact", "b")).toBe(REDACTED);
  });

  test("after a rotation new values have the new key's number, old ones can still be found", () => {
    const rotated = createMasker(after, counting);
    expect(rotated.mask("hmac", "a")).toMatch(/^sluice:hmac:v2:/);
    expect(rotated.mask("hmac", "a").slice(-22)).not.toBe(masker.mask("hmac", "a").slice(-22));
    expect(maskedValue("hmac", "a", after.masking, 1)).toBe(masker.mask("hmac", "a"));
    expect(maskedValue("email", "a@b.example", after.masking, 1)).toBe(masker.mask("email", "a@b.example"));
  });
});

describe("sealed values", () => {
  test("open with their own key, also after a rotation, and never come out equal", () => {
    const sealed = createMasker(before, counting).seal("users", "secret ü");
    expect(sealed).toMatch(/^sluice:aes:v1:1:[A-Za-z0-9_-]+$/);
    expect(new TextDecoder().decode(unseal("users", sealed, after.payload))).toBe("secret ü");
    expect(createMasker(before, counting).seal("users", "secret ü")).not.toBe(sealed);
    const rotated = createMasker(after, counting).seal("users", new Uint8Array([0, 255]));
    expect(rotated).toMatch(/^sluice:aes:v1:2:/);
    expect([...unseal("users", rotated, after.payload)]).toEqual([0, 255]);
    expect(unseal("users", createMasker(before, counting).seal("users", ""), before.payload)).toHaveLength(0);
  });

  test("do not open for another topic, under another key, or altered", () => {
    const sealed = createMasker(after, counting).seal("users", "secret");
    expect(() => unseal("orders", sealed, after.payload)).toThrow(UnsealError);
    expect(() => unseal("users", sealed, before.payload)).toThrow("has no key 2");
    expect(() => unseal("users", sealed.replace(":2:", ":1:"), after.payload)).toThrow(UnsealError);
    const altered = `${sealed.slice(0, -5)}${sealed.at(-5) === "A" ? "B" : "A"}${sealed.slice(-4)}`;
    expect(() => unseal("users", altered, after.payload)).toThrow(UnsealError);
    for (const text of ["", "secret", "sluice:aes:v1:1:AAAA", "sluice:aes:v2:1:"]) {
      expect(() => unseal("users", text, after.payload)).toThrow("no sealed value");
    }
  });
});

describe("the tag of a masked value", () => {
  const masker = createMasker(after, counting);
  const hmac = masker.mask("hmac", "a");
  const email = masker.mask("email", "a@Example.com");

  test("is recognised for its own masking only", () => {
    expect(isMaskedValue(hmac, "hmac")).toBe(true);
    expect(isMaskedValue(email, "email")).toBe(true);
    expect(isMaskedValue(masker.mask("email", "none"), "email")).toBe(true);
    expect(isMaskedValue(REDACTED, "redact")).toBe(true);
    expect(isMaskedValue(REDACTED, "hmac")).toBe(false);
    expect(isMaskedValue(email, "hmac")).toBe(false);
    expect(isMaskedValue(hmac, "redact")).toBe(false);
  });

  test("is taken literally", () => {
    const near = [
      ` ${hmac}`,
      `${hmac}\n`,
      `${hmac}A`,
      hmac.slice(0, -1),
      hmac.replace("v2", "v02"),
      hmac.replace("v2", "v0"),
      hmac.replace("sluice", "Sluice"),
      `${hmac.slice(0, -1)}B`,
      `${hmac.slice(0, -2)}==`,
    ];
    for (const text of near) expect(isMaskedValue(text, "hmac")).toBe(false);
    for (const text of [
      email.toUpperCase(),
      `${email}\n`,
      email.replace("example.com", "Example.com"),
      `${email}@x.de`,
    ]) {
      expect(isMaskedValue(text, "email")).toBe(false);
    }
    expect(isMaskedValue(`${REDACTED} `, "redact")).toBe(false);
  });
});

describe("the secrets", () => {
  test("local runs need none; elsewhere both are needed, and the local keys are refused", () => {
    expect(readMaskingKeys({}, true).ok).toBe(true);
    expect(readMaskingKeys({}, false)).toEqual({ ok: false, reason: "the secret MASKING_KEYS is not set" });
    expect(readMaskingKeys({ MASKING_KEYS: ring(1, 1) }, false)).toEqual({
      ok: false,
      reason: "the secret PAYLOAD_KEYS is not set",
    });
    for (const secrets of [
      { MASKING_KEYS: LOCAL_ONLY_MASKING_KEYS, PAYLOAD_KEYS: ring(1, 1) },
      { MASKING_KEYS: ring(1, 1), PAYLOAD_KEYS: LOCAL_ONLY_PAYLOAD_KEYS },
    ]) {
      expect(readMaskingKeys(secrets, false)).toMatchObject({
        ok: false,
        reason: expect.stringContaining("local one"),
      });
    }
  });

  test.each([
    ["nonsense", "not of the form"],
    ['{"current":1}', "not of the form"],
    ['{"current":0,"keys":{}}', "not of the form"],
    ['{"current":1,"keys":{"one":"AAAA"}}', "not of the form"],
    ['{"current":1,"keys":{"1":"%%"}}', "not of the form"],
    [`{"current":1,"keys":{"1":"${keyText(9, 16)}"}}`, "has 16 bytes, not 32"],
    [ring(2, 1), "key 2 is current, but does not have it"],
  ])("a bad secret is a reason, which quotes no key: %s", (secret, reason) => {
    for (const local of [true, false]) {
      const keys = readMaskingKeys({ MASKING_KEYS: secret, PAYLOAD_KEYS: ring(1, 1) }, local);
      if (keys.ok) throw new Error("expected a refusal");
      expect(keys.reason).toContain(reason);
      expect(keys.reason).not.toContain(keyText(9, 16).slice(0, 8));
    }
  });
});

test("digests tell equal texts apart from others by key, the current one's first, and are no hash that anybody can make", async () => {
  const [old = ""] = createMasker(before, counting).digests("a body");
  const both = createMasker(after, counting).digests("a body");
  expect(both).toEqual([expect.stringMatching(/^v2:[0-9a-f]{64}$/), old]);
  expect(old).toMatch(/^v1:[0-9a-f]{64}$/);
  expect(createMasker(before, counting).digests("b body")).not.toContain(old);
  // Nor a masked value: a producer may choose what is masked.
  const masked = createHmac("sha256", Buffer.alloc(32, 1)).update("a body").digest("hex");
  expect(old).not.toContain(masked.slice(0, 32));
});

test("a body with personal data is known by digests of its hash, another one by the hash", async () => {
  async function* chunks() {
    yield Buffer.from("one ");
    yield Buffer.from("body");
  }
  const hash = createHash("sha256")
    .update(`${JSON.stringify(["json"])}\none body`)
    .digest("hex");
  for (const masker of [null, createMasker(after, counting)]) {
    const body = fingerprinted(chunks(), ["json"], masker);
    await body.drain();
    expect(body.fingerprints()).toEqual(masker === null ? [hash] : masker.digests(hash));
  }
});
