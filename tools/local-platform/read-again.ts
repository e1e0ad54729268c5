const TRIES = 5;

/**
 * Reads from a running platform by its bindings, again where the connection was lost: Miniflare's proxies keep connections
 * that workerd may close just then, which after a stall of the machine is "fetch failed". Whatever else fails is thrown as it is.
 * Only for what may happen twice.
 */
export async function readAgain<Result>(read: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await read();
    } catch (error) {
      const lost = error instanceof Error && error.name === "TypeError" && error.message === "fetch failed";
      if (!lost || attempt === TRIES) throw error;
    }
  }
}
