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

/** The shard of a key, in [0, of). `of` is a power of two; FNV's low bits mix poorly, so the high half is folded in. */
export function shardOf(key: readonly unknown[], of: number): number {
  if (of === 1) return 0;
  let hash = OFFSET_BASIS;
  for (const part of key) hash = fnv1a(typeof part === "string" ? part : (JSON.stringify(part) ?? ""), hash ^ 0x1f);
  return ((hash >>> 16) ^ hash) & (of - 1);
}
