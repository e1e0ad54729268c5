import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

describe("wrangler deploy --dry-run", () => {
  test.each(["staging", "production"])("succeeds for %s with that environment's resources", async (environment) => {
    const outdir = mkdtempSync(join(tmpdir(), "sluice-deploy-"));
    try {
      const { stdout, stderr } = await run(
        join(root, "node_modules/.bin/wrangler"),
        ["deploy", "--dry-run", "--env", environment, "--outdir", outdir],
        { cwd: root, env: { ...process.env, WRANGLER_SEND_METRICS: "false", NO_COLOR: "1" } },
      );
      const output = stdout + stderr;
      expect(output).toContain(`sluice-${environment}-lake`);
      expect(output).toContain(`sluice-${environment}-orders`);
      expect(output).toContain("TopicBuffer");
      expect(output).not.toContain("sluice-local");
    } finally {
      rmSync(outdir, { recursive: true });
    }
  });
});
