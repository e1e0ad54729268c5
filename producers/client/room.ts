/** Who waits for room in the buffer, first come, first served. */

export interface Room {
  /** Whether there is room now and nobody came before. */
  isFree(bytes: number): boolean;
  /** Calls `enter` when there is room. */
  wait(bytes: number, enter: () => void): void;
  /** To be called when the buffer may have shrunk. */
  changed(): void;
  /** Lets everyone in, room or not: the client ends. */
  release(): void;
  readonly waiting: number;
}

interface Waiter {
  readonly bytes: number;
  readonly enter: () => void;
}

export function createRoom(hasRoom: (bytes: number) => boolean): Room {
  // A set as a queue: taking the first costs no move of the others.
  const waiters = new Set<Waiter>();
  return {
    isFree: (bytes) => waiters.size === 0 && hasRoom(bytes),
    wait(bytes, enter) {
      waiters.add({ bytes, enter });
    },
    changed() {
      for (const waiter of waiters) {
        if (!hasRoom(waiter.bytes)) return;
        waiters.delete(waiter);
        waiter.enter();
      }
    },
    release() {
      for (const waiter of waiters) {
        waiters.delete(waiter);
        waiter.enter();
      }
    },
    get waiting() {
      return waiters.size;
    },
  };
}
