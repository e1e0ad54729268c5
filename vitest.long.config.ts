/** `npm run test:long`: the tests that explore at random, in full (test/long-share.ts). */
import { defineConfig } from "vitest/config";
import { PLATFORM, PURE, reporters } from "./test/projects.ts";

const env = { SLUICE_TESTS: "long" };

export default defineConfig({
  test: {
    reporters: reporters("test-report/long.json"),
    projects: [
      {
        test: {
          ...PURE,
          env,
          // Hundreds of schedules, beside platforms that want the same cores.
          testTimeout: 900_000,
          include: [
            "test/property/alerts.property.test.ts",
            "test/property/avro-columns.property.test.ts",
            "test/property/bronze-roundtrip.property.test.ts",
            "test/property/client-delivery.property.test.ts",
            "test/property/compaction.property.test.ts",
            "test/property/compatibility.property.test.ts",
            "test/property/contracts-start.property.test.ts",
            "test/property/evolution.property.test.ts",
            "test/property/generations.property.test.ts",
            "test/property/ledger-gaps.property.test.ts",
            "test/property/masking.property.test.ts",
            "test/property/model-functions.property.test.ts",
            "test/property/model-increments.property.test.ts",
            "test/property/model-joins.property.test.ts",
            "test/property/models-equal-duckdb.property.test.ts",
            "test/property/native-builds.property.test.ts",
            "test/property/native-checks.property.test.ts",
            "test/property/own-partition.property.test.ts",
            "test/property/packed-block.property.test.ts",
            "test/property/parquet-roundtrip.property.test.ts",
            "test/property/patterns.property.test.ts",
            "test/property/planner.property.test.ts",
            "test/property/receipts.property.test.ts",
            "test/property/record-hash.property.test.ts",
            "test/property/redrive.property.test.ts",
            "test/property/registry-release.property.test.ts",
            "test/property/retention.property.test.ts",
            "test/property/rules.property.test.ts",
            "test/property/shard-change.property.test.ts",
            "test/property/silver-increments.property.test.ts",
            "test/property/silver-steps.property.test.ts",
            "test/property/slice-fault.property.test.ts",
            "test/property/slice-redrive.property.test.ts",
            "test/property/sql-checks.property.test.ts",
            "test/property/takeover.property.test.ts",
            "test/property/topic-buffer-machine.property.test.ts",
            "test/property/versions.property.test.ts",
            "test/unit/lakehouse/bronze/storm-memory.test.ts",
          ],
        },
      },
      {
        test: {
          ...PLATFORM,
          env: { ...PLATFORM.env, ...env },
          include: ["test/platform/answers-arrive.test.ts", "test/platform/fuzz.test.ts", "test/platform/kill.test.ts"],
        },
      },
    ],
  },
});
