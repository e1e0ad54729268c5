/** What middleware leaves in Hono's context for the routes. */
import type { Context } from "hono";
import type { KeyGrant } from "./access/grant.ts";
import type { Reach } from "./access/reach.ts";
import type { ClaimMemory } from "./middleware/memory-budget/byte-budget.ts";
import type { Spending } from "./middleware/rate-limit/spending.ts";
import type { WideEvent } from "./middleware/wide-event/event.ts";

/** A body on its way in. */
export interface IncomingBody {
  /** As sent, maybe compressed. Throws `ProblemError` BODY_TOO_LARGE and BODY_TIMEOUT. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** How many bytes were read until now. */
  bytesRead(): number;
  /** Of Content-Length; null if there is none. */
  readonly declared: number | null;
}

export interface GatewayEnv {
  Variables: {
    /** Made by us, never taken from the caller: dead letter ids derive from it. */
    requestId: string;
    wideEvent: WideEvent;
    /** Only behind the auth middleware. */
    grant: KeyGrant;
    /** Only where the operation needs a right on `topics`: those that the call may answer for. */
    reach: Reach;
    /** Only behind the auth middleware: whether the key came as `?k=`, where no header can be set. */
    keyInAddress: boolean;
    /** Only behind the rate limit: what the request costs its key. */
    spending: Spending;
    /** Only behind the body limit: opens the body, once. `maxBytes`: a smaller limit than the route's own. */
    bodyChunks: (maxBytes?: number) => IncomingBody;
    /** Says what of the isolate's memory the request holds; see `memoryBudget`. */
    claimMemory: ClaimMemory;
  };
}

export type GatewayContext = Context<GatewayEnv>;
