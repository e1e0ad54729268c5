import { defineConfig } from "vitest/config";
import { PLATFORM, PURE, reporters } from "./test/projects.ts";

export default defineConfig({
  test: {
    reporters: reporters("test-report/main.json"),
    projects: [
      { test: { ...PURE, include: ["test/unit/**/*.test.ts", "test/property/**/*.test.ts"] } },
      { test: { ...PLATFORM, include: ["test/platform/**/*.test.ts"], exclude: ["test/platform/kill.test.ts"] } },
    ],
  },
});
