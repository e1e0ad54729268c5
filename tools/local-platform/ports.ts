import { createServer } from "node:net";

/** Whether a server could listen on 127.0.0.1 at this port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((answered, failed) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") answered(false);
      else failed(error);
    });
    probe.listen(port, "127.0.0.1", () => probe.close(() => answered(true)));
  });
}
