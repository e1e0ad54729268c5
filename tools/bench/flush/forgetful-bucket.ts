/** A bucket that takes objects and keeps nothing of them. */
import type { BronzeBucket } from "../../../lakehouse/bronze/write.ts";

/** `onPut` sees the bytes of each object. */
export function forgetfulBucket(onPut: (bytes: Uint8Array) => void = () => {}): BronzeBucket {
  return {
    async put(key: string, value: unknown) {
      if (!(value instanceof Uint8Array)) throw new TypeError(`${key}: bytes are put in bronze`);
      onPut(value);
      return { ...OBJECT, key, size: value.byteLength };
    },
    async head() {
      return null;
    },
  };
}

const OBJECT = {
  version: "1",
  etag: "1",
  httpEtag: '"1"',
  checksums: { toJSON: () => ({}) },
  uploaded: new Date(0),
  storageClass: "Standard",
  writeHttpMetadata: () => {},
};
