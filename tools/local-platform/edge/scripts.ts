/** What runs in workerd for an edge: which requests are its own, and bindings whose storage the main process has. */

/** Addresses of events, whose every request is the edge's own unless it has an Idempotency-Key: receipts are Durable Objects. */
const EVENTS = "^https?://[^/]+/v1/topics/[^/?#]+/events(?:[?#]|$)";
const HEALTH = "^https?://[^/]+/healthz(?:[?#]|$)";

/** The edge's main module, around the bundle's, in the same isolate. What is not its own goes to the main process as it came. */
export function edgeScript(bundleEntry: string): string {
  return `
import worker from ${JSON.stringify(bundleEntry)};

const EVENTS = new RegExp(${JSON.stringify(EVENTS)});
const HEALTH = new RegExp(${JSON.stringify(HEALTH)});

export default {
  async fetch(request, env, context) {
    const { url, method, headers } = request;
    if (method === "POST" && EVENTS.test(url) && !headers.has("idempotency-key")) return worker.fetch(request, env, context);
    return HEALTH.test(url) ? healthOfBoth(request, env, context) : env.MAIN.fetch(request);
  },
};

/** Whoever waits until nothing is under way asks here. What was sent is read last: it is never too little. */
async function healthOfBoth(request, env, context) {
  const response = await env.MAIN.fetch(request);
  if (request.method !== "GET" || !response.ok) return response;
  const health = await response.json();
  const own = await (await worker.fetch(request, env, context)).json();
  health.messages.sent += own.messages.sent;
  return Response.json(health);
}`;
}

/** The part of D1's interface that the route of events needs: reading statements. */
export const DATABASE_SCRIPT = `
export default function (env) {
  async function all(sql, params) {
    const headers = { authorization: env.SECRET };
    const response = await env.STORAGE.fetch("http://storage/d1", { method: "POST", headers, body: JSON.stringify({ sql, params }) });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  }
  const statement = (sql, params) => ({
    bind: (...values) => statement(sql, values),
    all: () => all(sql, params),
    async first(column) {
      const { results: [row] } = await all(sql, params);
      if (row === undefined) return null;
      return column === undefined ? row : row[column];
    },
  });
  return { prepare: (sql) => statement(sql, []) };
}`;

/** The part of R2's interface that the route of events needs: payloads that no message can carry are put. */
export const LAKE_SCRIPT = `
export default function (env) {
  return {
    async put(key, body) {
      const headers = { authorization: env.SECRET };
      const response = await env.STORAGE.fetch("http://storage/r2?key=" + encodeURIComponent(key), { method: "PUT", headers, body });
      if (!response.ok) throw new Error(await response.text());
      return response.json();
    },
  };
}`;

/** Runs in the main process, with the real bindings. */
export const STORAGE_SCRIPT = `
export default {
  async fetch(request, env) {
    if (request.headers.get("authorization") !== env.SECRET) return new Response(null, { status: 403 });
    const { pathname, searchParams } = new URL(request.url);
    try {
      if (pathname === "/d1") {
        const { sql, params } = await request.json();
        return Response.json(await env.DB.prepare(sql).bind(...params).all());
      }
      const { key, size, etag } = await env.LAKE.put(searchParams.get("key"), await request.arrayBuffer());
      return Response.json({ key, size, etag });
    } catch (error) {
      return new Response(String(error), { status: 500 });
    }
  },
};`;
