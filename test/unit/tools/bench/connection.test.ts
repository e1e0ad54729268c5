import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { Connection } from "../../../../tools/bench/ingest/connection.ts";

const BODY = new TextEncoder().encode("[1]");

let server: Server | undefined;
let connection: Connection | undefined;

afterEach(() => {
  connection?.close();
  server?.close();
});

/** A connection to a server that does this with each request, whole, and with how many came before on the same socket. */
async function connected(answer: (socket: Socket, request: string, before: number) => void): Promise<Connection> {
  server = createServer((socket) => {
    let before = 0;
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString();
      if (!text.endsWith("\r\n\r\n[1]")) return;
      answer(socket, text, before++);
      text = "";
    });
    socket.on("error", () => {});
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  connection = new Connection(`http://127.0.0.1:${port}/v1/events?x=1`, { authorization: "Bearer k" });
  return connection;
}

test("a request has its headers and its length, and answers come one after the other", async () => {
  const requests: string[] = [];
  const posted = await connected((socket, request) => {
    requests.push(request);
    socket.write("HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}");
  });
  expect([await posted.post(BODY), await posted.post(BODY)]).toEqual([202, 202]);
  expect(requests[1]?.split("\r\n")[0]).toBe("POST /v1/events?x=1 HTTP/1.1");
  expect(requests[1]).toContain("\r\nauthorization: Bearer k\r\ncontent-length: 3\r\n\r\n[1]");
});

test("an answer may come in pieces, cut anywhere", async () => {
  const text = "HTTP/1.1 503 Service Unavailable\r\nA: b\r\nContent-Length: 5\r\n\r\nhello";
  const posted = await connected((socket, _request, before) => {
    socket.setNoDelay();
    socket.write(text.slice(0, 20 + before));
    setImmediate(() => socket.write(text.slice(20 + before, text.length - 2)));
    setTimeout(() => socket.write(text.slice(-2)), 5);
  });
  for (let i = 0; i < 5; i++) expect(await posted.post(BODY)).toBe(503);
});

test("a kept connection that was closed meanwhile is opened again", async () => {
  const posted = await connected((socket, _request, before) => {
    if (before === 0) socket.write("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n");
    else socket.destroy();
  });
  expect([await posted.post(BODY), await posted.post(BODY)]).toEqual([202, 202]);
});

test("a server that never answers, and an answer without a length, are errors", async () => {
  const closing = await connected((socket) => socket.destroy());
  await expect(closing.post(BODY)).rejects.toThrow("closed before an answer");
  closing.close();
  server?.close();
  const endless = await connected((socket) => socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
  await expect(endless.post(BODY)).rejects.toThrow("does not say its length");
});
