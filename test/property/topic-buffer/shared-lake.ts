import { FaultyD1 } from "../../oracle/faulty-d1.ts";
import { MemoryBucket } from "../../oracle/memory-bucket.ts";

const REGISTERED = ["bronze_files", "bronze_file_dates", "bronze_file_hours"] as const;

/** R2 and D1: what the shards of a topic have in common. */
export class SharedLake {
  readonly bucket = new MemoryBucket();
  readonly d1: FaultyD1;
  now: number;
  folds = 0;

  constructor(now: number) {
    this.now = now;
    this.d1 = new FaultyD1(() => this.now);
    for (const table of REGISTERED) {
      this.d1.rows(`CREATE TABLE folded_${table} AS SELECT * FROM ${table}`);
      this.d1.rows(`CREATE VIEW all_${table} AS SELECT * FROM ${table} UNION ALL SELECT * FROM folded_${table}`);
    }
  }

  /** The rows of what is registered leave the catalog, as those of closed dates do; the views `all_...` have them still. */
  fold(): void {
    if (this.d1.rows("SELECT file FROM bronze_files LIMIT 1").length === 0) return;
    this.folds++;
    for (const table of REGISTERED) this.d1.rows(`INSERT INTO folded_${table} SELECT * FROM ${table}`);
    for (const table of REGISTERED.toReversed()) this.d1.rows(`DELETE FROM ${table}`);
  }
}
