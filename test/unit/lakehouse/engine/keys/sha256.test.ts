import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256 } from "../../../../../lakehouse/engine/keys/sha256.ts";

function hexOf(bytes: Uint8Array, length = bytes.length): string {
  const state = new Int32Array(8);
  sha256(bytes, length, state);
  return Array.from(state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

test("hashes are those of node:crypto, at every length around a block's end", () => {
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => (i * 7 + 3) & 255);
  for (let length = 0; length <= bytes.length; length++) {
    const wanted = createHash("sha256").update(bytes.subarray(0, length)).digest("hex");
    expect(hexOf(bytes, length)).toBe(wanted);
  }
});

test("hashes are those of node:crypto, for any bytes, one after the other", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 5 }), (texts) => {
      expect(texts.map((bytes) => hexOf(bytes))).toEqual(
        texts.map((bytes) => createHash("sha256").update(bytes).digest("hex")),
      );
    }),
  );
});
