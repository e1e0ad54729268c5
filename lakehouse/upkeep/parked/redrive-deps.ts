/** What sending on what is parked needs, and how it ends. */

import type { Frame } from "../../../schemas/packed-block.ts";
import type { WasmPermit } from "../../engine/parquet/wasm.ts";
import type { LakeBucket } from "../../tables/lake.ts";

export interface RedriveDeps {
  readonly db: D1Database;
  readonly bucket: Pick<LakeBucket, "get" | "put"> & Pick<R2Bucket, "delete">;
  /** Resolves when the queue of the topic has the message durably. */
  send(topic: string, message: Uint8Array): Promise<void>;
  /** Whether buffers will still know a message of this id when it reaches them. */
  remembers(messageId: string): boolean;
  /** Whether a shard holds rows that are in no file yet: then bronze cannot tell. */
  hasUnflushed(topic: string, shard: number, of: number): Promise<boolean>;
  /** Why this deploy can make no rows of a slice; null if it can. */
  frameFault(frame: Frame): string | null;
  /** A UUIDv7 of now. */
  newMessageId(): string;
  /** The isolate's permit for work with Parquet; undefined when it is taken. */
  permit(): WasmPermit | undefined;
}

export type Redriven =
  /** Durable in its queue; not parked any more. `messageId`: what it was sent under. */
  | { readonly kind: "sent"; readonly messageId: string; readonly events: number }
  /** Not parked any more, and nothing is lost: why. */
  | { readonly kind: "discarded"; readonly detail: string }
  /** Still parked: no re-drive helps until somebody acts. */
  | { readonly kind: "kept"; readonly detail: string }
  /** Still parked: worth another try later. */
  | { readonly kind: "postponed"; readonly detail: string }
  | { readonly kind: "not_found" };
