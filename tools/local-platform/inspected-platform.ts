import type { LocalDatabase, LocalLake } from "./bindings.ts";
import type { ByteRange, Inspected } from "./inspector.ts";

/** What the inspector serves of a running platform. */
export function inspectedPlatform(db: LocalDatabase, lake: LocalLake): Inspected {
  return {
    async query(sql, params) {
      const { results } = await db
        .prepare(sql)
        .bind(...params)
        .all();
      return results;
    },
    async list(prefix, cursor) {
      const page = await lake.list(cursor === undefined ? { prefix } : { prefix, cursor });
      return {
        objects: page.objects.map(({ key, size, etag }) => ({ key, size, etag })),
        cursor: page.truncated ? page.cursor : null,
      };
    },
    async read(key, range) {
      const head = await lake.head(key);
      if (head === null) return null;
      const { size, etag } = head;
      const [offset, end] = range === undefined ? [0, size] : boundsOf(range, size);
      // R2 refuses a range that begins at or behind the end.
      if (offset >= end) return { bytes: new Uint8Array(0), offset, size, etag };
      const object = await lake.get(key, { range: { offset, length: end - offset } });
      return object === null ? null : { bytes: new Uint8Array(await object.arrayBuffer()), offset, size, etag };
    },
  };
}

/** [first byte, byte behind the last] of a range in an object of `size` bytes. */
function boundsOf(range: ByteRange, size: number): [number, number] {
  if ("suffix" in range) return [Math.max(0, size - range.suffix), size];
  return [range.offset, Math.min(size, range.offset + (range.length ?? size))];
}
