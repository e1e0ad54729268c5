/** What middleware leaves in Hono's context for the routes. */
import type { Context } from "hono";
import type { KeyGrant } from "./middleware/auth/grant.ts";
import type { WideEvent } from "./middleware/wide-event/wide-event.ts";

export interface GatewayEnv {
  Variables: {
    /** Made by us, never taken from the caller: dead letter ids derive from it. */
    requestId: string;
    wideEvent: WideEvent;
    /** Only behind the auth middleware. */
    grant: KeyGrant;
    /** Only behind the body limit: reads the whole body once. Throws `ProblemError` BODY_TOO_LARGE. */
    readBody: () => Promise<Uint8Array>;
  };
}

export type GatewayContext = Context<GatewayEnv>;
