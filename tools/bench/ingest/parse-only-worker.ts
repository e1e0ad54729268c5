/** What the ingest benchmark compares with: a Hono route that parses the same bodies and does nothing else. */
import { Hono } from "hono";

// wrangler.toml wants them of any entry.
export * from "../../../worker.ts";

const app = new Hono();

app.post("/v1/topics/:topic/events", async (c) => {
  const events: unknown = await c.req.json();
  return c.json({ events: Array.isArray(events) ? events.length : 1 }, 202);
});

export default { fetch: app.fetch };
