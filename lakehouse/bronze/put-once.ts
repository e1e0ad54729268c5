/** Putting an object of bronze exactly once, whoever tries again. */

/** An object stands under our key that was made from other input: two incarnations share a name, or somebody else writes here. Nothing is overwritten and no row is dropped. */
export class BronzeConflictError extends Error {
  override readonly name = "BronzeConflictError";
}

/** What bronze needs of a bucket. */
export type BronzeBucket = Pick<R2Bucket, "put" | "head">;

/** What an object of bronze says of itself. `input`: the digest of what it was made of. */
export interface ObjectMetadata extends Readonly<Record<string, string>> {
  readonly input: string;
}

export interface StandingObject {
  readonly size: number;
  /** Of the object that stands, which an earlier try may have put: a deploy before this one says less. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Puts an object unless it exists; gives the one that stands there. Throws `BronzeConflictError` when its input is another. */
export async function putOnce(
  bucket: BronzeBucket,
  key: string,
  bytes: Uint8Array,
  metadata: ObjectMetadata,
): Promise<StandingObject> {
  const { input } = metadata;
  const put = await bucket.put(key, bytes, {
    onlyIf: { etagDoesNotMatch: "*" },
    customMetadata: metadata,
    httpMetadata: { contentType: "application/vnd.apache.parquet" },
  });
  if (put !== null) return { size: put.size, metadata };
  const existing = await bucket.head(key);
  const standing = existing?.customMetadata ?? {};
  if (existing !== null && standing["input"] === input) return { size: existing.size, metadata: standing };
  throw new BronzeConflictError(
    `${key} exists with input ${standing["input"] ?? "unknown"}, ours is ${input}: the rows stay buffered`,
  );
}
