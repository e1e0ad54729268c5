/** An event of the topic `schema_changes` (contracts/schema_changes.yaml), of the changes that are told: releases, and fields that only events know. */

export interface SchemaChange {
  readonly event_id: string;
  /** ISO 8601 UTC: when the platform saw it first. */
  readonly event_timestamp: string;
  readonly topic: string;
  readonly change: "schema_released" | "contract_released" | "drift_seen";
  readonly contract_version: string;
  readonly schema_id?: number;
  readonly schema_version?: number;
  readonly previous_schema_version?: number;
  readonly fields: readonly ChangedField[];
}

export interface ChangedField {
  /** A JSON pointer into the event; the part `*` stands for every item of an array. */
  readonly pointer: string;
  readonly change: "added" | "removed" | "changed" | "undeclared";
  readonly detail?: string;
}
