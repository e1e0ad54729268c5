/** Putting an object of bronze exactly once, whoever tries again. */

/** An object stands under our key that was made from other input: two incarnations share a name, or somebody else writes here. Nothing is overwritten and no row is dropped. */
export class BronzeConflictError extends Error {
  override readonly name = "BronzeConflictError";
}

/** What bronze needs of a bucket. */
export type BronzeBucket = Pick<R2Bucket, "put" | "head">;

/** Puts an object unless it exists; gives the size of the one that stands there. `input` is the digest of what it was made of. */
export async function putOnce(bucket: BronzeBucket, key: string, bytes: Uint8Array, input: string): Promise<number> {
  const put = await bucket.put(key, bytes, {
    onlyIf: { etagDoesNotMatch: "*" },
    customMetadata: { input },
    httpMetadata: { contentType: "application/vnd.apache.parquet" },
  });
  if (put !== null) return put.size;
  const existing = await bucket.head(key);
  if (existing?.customMetadata?.["input"] === input) return existing.size;
  throw new BronzeConflictError(
    `${key} exists with input ${existing?.customMetadata?.["input"] ?? "unknown"}, ours is ${input}: the rows stay buffered`,
  );
}
