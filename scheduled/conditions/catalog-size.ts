/** D1 near its limit. Past it every write fails, registrations of bronze among them: then buffers fill, and at last producers are held off. */
import { catalogBytes } from "../../sql/statements/catalog-size.ts";
import type { Condition, ConditionSource } from "./condition.ts";

/** Bytes of one D1 database on the paid plan. Cloudflare does not raise it. */
const D1_BYTES = 10_000_000_000;
/** Shares of the limit. The first leaves months at any rate that D1 takes. */
const WARN_AT = 0.5;
const CRITICAL_AT = 0.8;

/** `limitBytes`: `CATALOG_LIMIT_BYTES` of the deployment, "0" for D1's own. `find` throws what D1 throws, and for a limit that is no number. */
export function catalogSizeSource(db: D1Database, limitBytes: string): ConditionSource {
  return {
    name: "catalog_size",
    async find() {
      const limit = limitOf(limitBytes);
      const bytes = await catalogBytes(db);
      const share = bytes / limit;
      if (share < WARN_AT) return [];
      const condition: Condition = {
        key: "catalog_size",
        kind: "catalog_size",
        severity: share < CRITICAL_AT ? "warning" : "critical",
        message:
          `The catalog (D1) has ${megabytes(bytes)} MB, ${Math.round(share * 100)} % of the ${megabytes(limit)} MB that it may have. ` +
          "Past them no write succeeds: nothing is lost, but buffers fill and producers are held off. " +
          "docs/operations.md, The catalog grows, says how to find the table that does.",
        measured: bytes,
        bound: limit * WARN_AT,
      };
      return [condition];
    },
  };
}

function limitOf(text: string): number {
  const bytes = Number(text);
  if (!Number.isFinite(bytes) || bytes < 0 || text.trim() === "")
    throw new Error(`vars.CATALOG_LIMIT_BYTES is "${text}"; it must be a number of bytes, or 0 for D1's own limit`);
  return bytes === 0 ? D1_BYTES : bytes;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000);
}
