/** What a request says of itself; each part is set by the step that knows it. */
export interface WideEvent {
  topic?: string;
  producer?: string;
  /** The key's public id. */
  key_id?: string;
  bytes?: number;
  events?: number;
  accepted?: number;
  rejected?: number;
  retry?: number;
  messages?: number;
  dry_run?: boolean;
  /** Only with an Idempotency-Key: whether the answer is an earlier one. */
  repeated?: boolean;
  /** Of a native builder's call: its run, the table of a lease or commit, and how a commit ended. */
  run?: string;
  table?: string;
  outcome?: string;
  /** The code of a request that was refused as a whole. */
  problem?: string;
  /** The message and cause of a failure of ours. */
  failure?: string;
}
