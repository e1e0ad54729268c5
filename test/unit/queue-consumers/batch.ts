/** A queue's batch that remembers what was said to each message, and a bucket that may refuse. */
export interface SaidMessage extends Message {
  said: "nothing" | "ack" | { retry: number | undefined };
}

export function batchOf(queue: string, bodies: readonly unknown[], attempts = 1) {
  const messages = bodies.map((body, i): SaidMessage => {
    const message: SaidMessage = {
      id: `queue-id-${i}`,
      timestamp: new Date(0),
      body,
      attempts,
      said: "nothing",
      ack() {
        message.said = "ack";
      },
      retry(options) {
        message.said = { retry: options?.delaySeconds };
      },
    };
    return message;
  });
  const batch: MessageBatch = {
    queue,
    messages,
    metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } },
    ackAll: () => {
      throw new Error("every message is told apart");
    },
    retryAll: () => {
      throw new Error("every message is told apart");
    },
  };
  return { batch, said: () => messages.map((message) => message.said) };
}
