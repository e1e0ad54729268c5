/** The journal's way into the queues: what was added arrives, though the other side fails meanwhile. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { QueueDispatcher } from "../../../../tools/local-platform/queue-journal/dispatcher.ts";

let server: Server;
let url: URL;
let statuses: number[];
let got: { binding: string | null; entries: unknown }[];
let dispatcher: QueueDispatcher;

beforeEach(async () => {
  statuses = [];
  got = [];
  dispatcher = new QueueDispatcher();
  server = createServer(async (request, response) => {
    const body = await text(request);
    const status = statuses.shift() ?? 204;
    const binding = new URL(request.url ?? "", "http://consumer").searchParams.get("binding");
    if (status === 204) got.push({ binding, entries: JSON.parse(body) });
    response.writeHead(status).end();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  url = new URL(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
});
afterEach(() => {
  dispatcher.stop();
  server.close();
  server.closeAllConnections();
});

const orders = { id: 1, binding: "TOPIC_ORDERS" };
const weather = { id: 2, binding: "TOPIC_WEATHER" };

test("what was added before the start and after it, a call for each queue", async () => {
  dispatcher.add(orders);
  dispatcher.start(url);
  dispatcher.add(weather);
  dispatcher.add({ ...orders, id: 3 }, 60);
  await expect.poll(() => got.length).toBe(2);
  expect(got).toContainEqual({ binding: "TOPIC_WEATHER", entries: [{ id: 2, delaySeconds: 0 }] });
  const entries = [
    { id: 1, delaySeconds: 0 },
    { id: 3, delaySeconds: 60 },
  ];
  expect(got).toContainEqual({ binding: "TOPIC_ORDERS", entries });
});

test("a call that failed is made again; a topic that is gone is not", { timeout: 15_000 }, async () => {
  statuses.push(503);
  dispatcher.add(orders);
  dispatcher.start(url);
  await expect.poll(() => got.length, { timeout: 10_000 }).toBe(1);
  statuses.push(404);
  dispatcher.add(weather);
  await expect.poll(() => statuses.length).toBe(0);
  dispatcher.add({ ...orders, id: 3 });
  await expect.poll(() => got.length).toBe(2);
  expect(got.map(({ binding }) => binding)).toEqual(["TOPIC_ORDERS", "TOPIC_ORDERS"]);
});
