/**
 * The real Worker, whose consumer writes down what a Durable Object has acknowledged: one log line per append, after the
 * RPC resolved on the consumer's side. What is in the log was durable; that is the test's claim to check.
 */

import { contracts } from "../../../contracts/registry.ts";
import type { AppendResult, ShardAddress } from "../../../durable-objects/stubs.ts";
import { codecsOf } from "../../../schemas/codecs.ts";
import { readFrames } from "../../../schemas/packed-block.ts";
import worker from "../../../worker.ts";

export { Receipts, TopicBuffer } from "../../../worker.ts";

// Made here because avsc generates code, which workerd allows in the global scope only.
const envelopes = new Map(
  contracts.flatMap(({ topic }) => codecsOf(topic)).map((codec) => [codec.id, codec.envelope] as const),
);

function eventIds(frames: Uint8Array): string[] {
  const ids: string[] = [];
  for (const frame of readFrames(frames)) {
    const envelope = envelopes.get(frame.header.schema_id);
    if (envelope === undefined) continue;
    let at = 0;
    const bytes = Buffer.from(frame.events);
    while (at < bytes.byteLength) {
      const { value, offset } = envelope.decode(bytes, at);
      at = offset;
      const id: unknown = value.event.event_id;
      if (typeof id === "string") ids.push(id);
    }
  }
  return ids;
}

function noting(env: Env): Env {
  const { TOPIC_BUFFER: real } = env;
  const buffers = {
    idFromName: (name: string) => real.idFromName(name),
    get: (id: DurableObjectId) => ({
      async append(address: ShardAddress, frames: Uint8Array): Promise<AppendResult> {
        const result = await real.get(id).append(address, frames);
        console.log(`ACKNOWLEDGED ${JSON.stringify(eventIds(frames))}`);
        return result;
      },
    }),
  };
  return new Proxy(env, { get: (object, name) => (name === "TOPIC_BUFFER" ? buffers : Reflect.get(object, name)) });
}

export default {
  fetch: (request, env, context) => worker.fetch(request, env, context),
  queue: (batch, env) => worker.queue(batch, noting(env)),
  scheduled: (controller, env) => worker.scheduled(controller, env),
} satisfies ExportedHandler<Env>;
