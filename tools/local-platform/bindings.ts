/** The platform's bindings as Node sees them: Miniflare's proxies. */
import type { Miniflare } from "miniflare";

export type LocalDatabase = Awaited<ReturnType<Miniflare["getD1Database"]>>;
export type LocalLake = Awaited<ReturnType<Miniflare["getR2Bucket"]>>;
