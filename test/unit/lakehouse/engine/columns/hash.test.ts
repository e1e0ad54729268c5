import { expect, test } from "vitest";
import { hashBytes } from "../../../../../lakehouse/engine/columns/hash.ts";

// Answers of mmh3 5.3.1, the Python extension around the reference implementation: hash_bytes(text, 0, x64arch=False).
test.each([
  ["", "00000000000000000000000000000000"],
  ["a", "3c9394a71bb056551bb056551bb05655"],
  ["Hello", "46ae6023c636635ef4b345adf4b345ad"],
  ["Hello, world!", "a7dbac26fc8d63f063422b40c3d4fd0a"],
  ["0123456789abcdef", "09447dfb0ad3ae369b1dad48fd3b2b57"],
  ["The quick brown fox jumps over the lazy dog", "c383152f672ceeec6cf67b5d2c1de9e5"],
  ["straße €12", "0638d39c4dc849fbe8bfabaeaf257a61"],
])("the hash of %j is MurmurHash3's of 128 bits", (text, expected) => {
  const words = new Int32Array(4);
  const bytes = new TextEncoder().encode(`xx${text}y`);
  hashBytes(bytes, 2, bytes.length - 1, words);
  expect(Buffer.from(words.buffer).toString("hex")).toBe(expected);
});
