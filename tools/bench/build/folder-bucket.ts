/**
 * The local R2 with its large objects in a folder. Miniflare's R2 takes 37 ns of CPU for each byte of a put, as much as the builds that write
 * it, since it digests a stream of pieces of 4 KB in JavaScript; R2 of Cloudflare takes none of the Worker's. A folder that workerd itself
 * reads and writes takes 2 ns.
 */

/** The name of the service binding, which Miniflare makes of the folder. */
export const FOLDER_BINDING = "LAKE_FOLDER";

/** Whether an object stands in the folder: those that are written once, and read by their name. */
export function isInFolder(key: string): boolean {
  return /\.(?:parquet|keys|partial)$/.test(key);
}

/** The name of an object's file. */
export function fileOfObject(key: string): string {
  return key.replaceAll("/", "~");
}

/** The bucket, with the objects of `isInFolder` in the folder, but for those that buffers put into it. They have no metadata. */
export function folderBucket(bucket: R2Bucket, folder: Fetcher): R2Bucket {
  const own: Readonly<Record<string, (key: string, ...rest: never[]) => Promise<unknown>>> = {
    head: async (key) => (await headOf(folder, key)) ?? bucket.head(key),
    get: async (key, options?: R2GetOptions) => (await got(folder, key, options?.range)) ?? bucket.get(key, options),
    put: (key, body: Uint8Array | ReadableStream) => put(folder, key, body),
  };
  return new Proxy(bucket, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name, object);
      if (typeof value !== "function") return value;
      const ofFolder = typeof name === "string" ? own[name] : undefined;
      return (...values: unknown[]) => {
        const [key] = values;
        const chosen = ofFolder !== undefined && typeof key === "string" && isInFolder(key) ? ofFolder : value;
        return Reflect.apply(chosen, object, values);
      };
    },
  });
}

function urlOf(key: string): string {
  return `http://folder/${encodeURIComponent(fileOfObject(key))}`;
}

async function put(folder: Fetcher, key: string, body: Uint8Array | ReadableStream) {
  const response = await folder.fetch(urlOf(key), { method: "PUT", body });
  if (!response.ok) throw new Error(`${key} was not written: ${response.status}`);
  return { key, size: body instanceof Uint8Array ? body.byteLength : 0 };
}

async function headOf(folder: Fetcher, key: string) {
  const response = await folder.fetch(urlOf(key), { method: "HEAD" });
  return response.ok ? { key, size: Number(response.headers.get("content-length")) } : null;
}

async function got(folder: Fetcher, key: string, range: R2Range | Headers | undefined) {
  const response = await folder.fetch(urlOf(key), { headers: range === undefined ? {} : { range: textOf(range) } });
  if (response.status === 404) return null;
  if (!response.ok || response.body === null) throw new Error(`${key} was not read: ${response.status}`);
  const size = Number(
    (response.headers.get("content-range") ?? "").split("/")[1] ?? response.headers.get("content-length"),
  );
  return { key, size, body: response.body, arrayBuffer: () => response.arrayBuffer() };
}

function textOf(range: R2Range | Headers): string {
  if ("suffix" in range) return `bytes=-${range.suffix}`;
  if ("offset" in range && range.offset !== undefined && range.length !== undefined)
    return `bytes=${range.offset}-${range.offset + range.length - 1}`;
  throw new Error("no range that a build reads");
}
