/** What the journal answers over HTTP, to the scripts in workerd. */
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { QueueDispatcher } from "./dispatcher.ts";
import type { QueueJournal } from "./journal.ts";

/** `append` a call's messages, `read` the bodies of entries, `remove` entries. What was appended is dispatched when it is on disk. */
export function journalService(journal: QueueJournal, dispatcher: QueueDispatcher): RequestListener {
  return async function answer(request, response) {
    // No browser's page may write here.
    if (request.headers.origin !== undefined) return response.writeHead(403).end();
    try {
      const [path, binding = ""] = (request.url ?? "").split("?binding=");
      const body = await bytesOf(request);
      switch (path) {
        case "/append": {
          const messages = messagesIn(request.headers, body);
          // In one turn of the event loop: they are in one transaction.
          const ids = await Promise.all(messages.map(({ bytes }) => journal.append(binding, bytes)));
          ids.forEach((id, i) => {
            dispatcher.add({ id, binding }, messages[i]?.delaySeconds);
          });
          return response.writeHead(204).end();
        }
        case "/read":
          return answerBodies(journal, numbersIn(body.toString()), response);
        case "/remove":
          journal.remove(numbersIn(body.toString()));
          return response.end();
        default:
          return response.writeHead(404).end();
      }
    } catch (error) {
      return response.writeHead(503).end(String(error));
    }
  };
}

interface SentMessage {
  readonly bytes: Uint8Array;
  readonly delaySeconds: number;
}

/** The messages of a call follow one another; `sizes` and `delays` (s) have a number for each. Without them it is one message. Throws Error unless these fit. */
function messagesIn(headers: IncomingHttpHeaders, body: Buffer): SentMessage[] {
  if (headers["sizes"] === undefined) return [{ bytes: body, delaySeconds: 0 }];
  const [sizes, delays] = [numbersIn(String(headers["sizes"])), numbersIn(String(headers["delays"]))];
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes !== body.byteLength) throw new Error(`${body.byteLength} bytes came, ${bytes} were announced`);
  let start = 0;
  return sizes.map((size, i) => {
    const bytes = body.subarray(start, start + size);
    start += size;
    return { bytes, delaySeconds: delays[i] ?? 0 };
  });
}

/** The bodies one after the other; `entries` says of which entries, and how long: what was removed is not among them. */
function answerBodies(journal: QueueJournal, ids: readonly number[], response: ServerResponse): void {
  const found = ids.flatMap((id) => {
    const body = journal.body(id);
    return body === undefined ? [] : [{ id, body }];
  });
  response.setHeader("entries", JSON.stringify(found.map(({ id, body }) => ({ id, size: body.byteLength }))));
  response.setHeader(
    "content-length",
    found.reduce((sum, { body }) => sum + body.byteLength, 0),
  );
  response.cork();
  for (const { body } of found) response.write(body);
  response.end();
}

function numbersIn(json: string): number[] {
  const values: unknown = JSON.parse(json);
  return Array.isArray(values) ? values.filter((value) => typeof value === "number") : [];
}

/** Most bodies come in one piece, which is not copied. */
function bytesOf(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    );
    request.on("error", reject);
  });
}
