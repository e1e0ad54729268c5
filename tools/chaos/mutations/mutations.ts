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
    before: "return writeBronze({ bucket, permit }, contract, flush, store.frozenBlocks(seq), {",
    after: `const blocks = store.frozenBlocks(seq);
  const held = blocks.ids.map((_, n) => blocks.read(n).slice());
  for (const id of blocks.ids) store.rewriteBlock(id, new Uint8Array(), 0);
  return writeBronze({ bucket, permit }, contract, flush, { ...blocks, read: (n: number) => held[n]?.slice() ?? new Uint8Array() }, {`,
  },
  {
    name: "lay-out-anew",
    what: "a retry lays a flush out as its deploy does, not as the files that were put",
    file: "durable-objects/topic-buffer/flush.ts",
    before: "layout: store.layouts.of(seq),",
    after: "layout: undefined,",
  },
  {
    name: "register-again",
    what: "a flush whose registration was folded away is registered again when its answer was lost",
    file: "sql/statements/bronze.ts",
    before: `const KNOWN = \`EXISTS (SELECT 1 FROM shards WHERE topic = ?1 AND shard = ?2 AND shard_of = ?3 AND \${IS_REGISTERED})\`;`,
    after: `const KNOWN = \`EXISTS (SELECT 1 FROM shards WHERE topic = ?1 AND shard = ?2 AND shard_of = ?3 AND \${IS_REGISTERED} AND 1 = 2)\`;`,
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
    name: "no-takeover",
    what: "a message that comes again waits for the lease of its own killed builder",
    file: "sql/statements/leases.ts",
    before: "OR (l.run_id <> ?3 AND l.nonce = ?4",
    after: "OR (1 = 2 AND l.nonce = ?4",
  },
  {
    name: "rest-of-flush-unread",
    what: "a step that ends within a flush takes all of it as read",
    file: "lakehouse/builds/silver/portion.ts",
    before: "if (rows < left) return { inputs, through: seen, partRead: partRead + rows, ended: [], more: true };",
    after: "",
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
    before: `if (existing !== null && standing["input"] === input) return { size: existing.size, metadata: standing };`,
    after: "if (existing !== null) return { size: existing.size, metadata: standing };",
  },
  {
    name: "forget-before-register",
    what: "a written flush is dropped before D1 knows its files",
    file: "durable-objects/topic-buffer/machine.ts",
    before: `return { do: "register", seq: flush.seq };`,
    after: `return { do: "forget", seq: flush.seq };`,
  },
];
