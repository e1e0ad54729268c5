/** The journal over HTTP: who is answered 2xx has all messages of the call on disk; who is not, or not at all, harms no other. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { QueueDispatcher } from "../../../../tools/local-platform/queue-journal/dispatcher.ts";
import { QueueJournal } from "../../../../tools/local-platform/queue-journal/journal.ts";
import { journalService } from "../../../../tools/local-platform/queue-journal/service.ts";

const MAX_BYTES = 300_000;

let folder: string;
let journal: QueueJournal;
let server: Server;
let port: number;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-journal-"));
  journal = new QueueJournal(folder, MAX_BYTES);
  server = createServer(journalService(journal, new QueueDispatcher()));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  port = typeof address === "object" ? (address?.port ?? 0) : 0;
});
afterEach(() => {
  server.close();
  server.closeAllConnections();
  journal.close();
  rmSync(folder, { recursive: true, force: true });
});

async function post(path: string, body: BodyInit, headers: Record<string, string> = {}) {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`, { method: "POST", body, headers });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return { status: response.status, entries: response.headers.get("entries"), bytes };
}

function append(...bodies: Uint8Array<ArrayBuffer>[]) {
  const headers = {
    sizes: JSON.stringify(bodies.map(({ byteLength }) => byteLength)),
    delays: JSON.stringify(bodies.map(() => 0)),
  };
  return post("append?binding=TOPIC_ORDERS", new Blob(bodies), headers);
}

const filled = (size: number, byte: number) => new Uint8Array(size).fill(byte);

test("messages of any size come back as they were sent, in order, until they are removed", async () => {
  expect((await append(filled(2, 1), filled(100_000, 2), filled(0, 0), filled(3, 3))).status).toBe(204);
  expect(journal.entries()).toEqual([1, 2, 3, 4].map((id) => ({ id, binding: "TOPIC_ORDERS" })));
  expect((await post("remove", "[2]")).status).toBe(200);
  const read = await post("read", "[4,2,1,99]");
  expect(JSON.parse(read.entries ?? "")).toEqual([
    { id: 4, size: 3 },
    { id: 1, size: 2 },
  ]);
  expect(read.bytes).toEqual(Uint8Array.of(3, 3, 3, 1, 1));
});

test("a call that announces nothing is one message", async () => {
  expect((await post("append?binding=TOPIC_ORDERS", new Blob([filled(300, 7)]))).status).toBe(204);
  expect(journal.entries()).toEqual([{ id: 1, binding: "TOPIC_ORDERS" }]);
  expect((await post("read", "[1]")).bytes).toEqual(filled(300, 7));
});

test("a call for which there is no room is told so; those beside it are on disk", async () => {
  const answers = await Promise.all([250_000, 250_000, 10].map((size) => append(filled(size, 1))));
  expect(answers.map(({ status }) => status).sort()).toEqual([204, 204, 503]);
  expect(journal.entries()).toHaveLength(2);
  const refused = answers.find(({ status }) => status === 503);
  expect(new TextDecoder().decode(refused?.bytes)).toContain("JournalFullError: the local queue journal has");
});

test("a call that ends in its middle, or whose sizes are wrong, leaves nothing", async () => {
  const half = connect(port, "127.0.0.1");
  half.write("POST /append?binding=TOPIC_ORDERS HTTP/1.1\r\nHost: journal\r\nsizes: [9]\r\ndelays: [0]\r\n");
  half.write("Content-Length: 9\r\n\r\nhalf");
  await once(server, "request");
  half.destroy();
  await once(half, "close");
  const wrong = await post("append?binding=TOPIC_ORDERS", "four", { sizes: "[5]", delays: "[0]" });
  expect([wrong.status, new TextDecoder().decode(wrong.bytes)]).toEqual([503, "Error: 4 bytes came, 5 were announced"]);
  expect((await append(filled(1, 1))).status).toBe(204);
  expect(journal.entries()).toHaveLength(1);
});

test("a page in a browser is refused", async () => {
  const headers = { origin: "http://example.com", sizes: "[1]", delays: "[0]" };
  expect((await post("append?binding=TOPIC_ORDERS", "1", headers)).status).toBe(403);
  expect(journal.entries()).toEqual([]);
});
