/** What the platform's side of native builds needs. */
import type { ModelTable } from "../../tables/catalog.ts";
import type { LakeBucket } from "../../tables/lake.ts";
import type { Deploy } from "../generations/record.ts";

export interface NativeDeps {
  readonly db: D1Database;
  readonly bucket: LakeBucket & Pick<R2Bucket, "list">;
  /** The deploy that answers: its tables are those that are built. */
  readonly deploy: Deploy;
  newRunId(): string;
  /** A tick of the planner: before a lease, so that what a gone builder held is free; after a commit, so that others follow it. Never rejects. */
  replan(): Promise<unknown>;
}

/** The deploy's model of a domain. */
export function modelOf({ deploy }: Pick<NativeDeps, "deploy">, domain: string): ModelTable | undefined {
  const table = deploy.tables.find((candidate) => candidate.domain === domain);
  return table?.kind === "model" ? table : undefined;
}
