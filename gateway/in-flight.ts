/**
 * How many messages this isolate has handed to queues. With the consumers' count of acknowledged ones, a local platform
 * knows when nothing is under way and it may stop; in production the number says nothing, since isolates come and go.
 */
let sent = 0;

/** Counts messages whose send resolved. */
export function countSent(messages: number): void {
  sent += messages;
}

export function sentMessages(): number {
  return sent;
}
