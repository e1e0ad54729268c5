/** The mistakes that a run must notice, each a small change of one file. A change that no longer fits its file is an error. */

export interface Mutation {
  readonly name: string;
  /** What it does wrong, in words. */
  readonly what: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly before: string;
  readonly after: string;
}

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "skip-message-id-check",
    what: "a message that comes again is appended again",
    file: "durable-objects/topic-buffer/append.ts",
    before: "for (const id of deps.ids.known(fresh.keys())) fresh.delete(id);",
    after: "",
  },
  {
    name: "delete-before-write",
    what: "a flush drops its blocks before their file is in R2",
    file: "durable-objects/topic-buffer/flush.ts",
    before: "const write = () => writeBronze(bucket, contract, flush, store.frozenBlocks(seq), pause);",
    after: `const write = () => {
    const blocks = store.frozenBlocks(seq);
    const held = blocks.ids.map((_, n) => blocks.read(n).slice());
    for (const id of blocks.ids) store.rewriteBlock(id, new Uint8Array(), 0);
    return writeBronze(bucket, contract, flush, { ...blocks, read: (n: number) => held[n]?.slice() ?? new Uint8Array() }, pause);
  };`,
  },
  {
    name: "ack-before-append",
    what: "the consumer acknowledges a batch before its buffers have it",
    file: "queue-consumers/ingest.ts",
    before: "await Promise.all([...shards.values()].map((shard) => appendShard(shard, deps, outcomes, batch)));",
    after: `batch.ackAll();
  await Promise.all([...shards.values()].map((shard) => appendShard(shard, deps, outcomes, batch)));
  outcomes.fill({ kind: "stored" });`,
  },
  {
    name: "no-incarnation-in-file-names",
    what: "an object that was reset names its files as before",
    file: "lakehouse/bronze/table.ts",
    before: `-\${flush.incarnation}-\${String(flush.seq)`,
    after: `-\${String(flush.seq)`,
  },
  {
    name: "any-existing-object-is-ours",
    what: "what stands under the key is taken for the file, whatever its input",
    file: "lakehouse/bronze/put-once.ts",
    before: `if (existing?.customMetadata?.["input"] === input) return existing.size;`,
    after: "if (existing !== null) return existing.size;",
  },
  {
    name: "forget-before-register",
    what: "a written flush is dropped before D1 knows its files",
    file: "durable-objects/topic-buffer/machine.ts",
    before: `return { do: "register", seq: flush.seq };`,
    after: `return { do: "forget", seq: flush.seq };`,
  },
];
