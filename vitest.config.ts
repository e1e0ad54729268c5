import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // The JSON report is what .ci/run counts from.
    reporters: ["default", ["json", { outputFile: "dist/test-report.json" }]],
    projects: [
      {
        test: {
          name: "pure",
          include: ["test/unit/**/*.test.ts", "test/property/**/*.test.ts"],
          setupFiles: ["test/property/seed.setup.ts"],
          testTimeout: 60_000,
        },
      },
      {
        // The real bundle in workerd, one platform a file; files one after another because each wants both cores.
        test: {
          name: "platform",
          include: ["test/platform/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
