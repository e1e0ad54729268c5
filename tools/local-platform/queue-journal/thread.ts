/** The journal's thread: `start.ts` starts it with the folder, and hears the port that it listens on. */
import { once } from "node:events";
import { createServer } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { QueueDispatcher } from "./dispatcher.ts";
import { QueueJournal } from "./journal.ts";
import { journalService } from "./service.ts";
import type { JournalCommand } from "./start.ts";

const journal = new QueueJournal(String(workerData));
const dispatcher = new QueueDispatcher();
for (const entry of journal.entries()) dispatcher.add(entry);

const server = createServer(journalService(journal, dispatcher));
// A connection that is closed in the moment in which workerd uses it again would cost a message.
server.keepAliveTimeout = 0;
await once(server.listen(0, "127.0.0.1"), "listening");

parentPort?.on("message", (command: JournalCommand) => {
  if (command !== "close") return dispatcher.start(new URL(command.dispatchTo));
  dispatcher.stop();
  server.close();
  server.closeAllConnections();
  journal.close();
  parentPort?.close();
});

const address = server.address();
parentPort?.postMessage(typeof address === "object" ? address?.port : undefined);
