import { defineConfig } from "vitest/config";
import { PLATFORM, PURE, reporters } from "./test/projects.ts";

/** Their asserted numbers are in `npm run test:long`, which the CI runs as well. */
const LONG_ONLY = [
  "test/platform/fuzz.test.ts",
  "test/platform/kill.test.ts",
  "test/unit/lakehouse/bronze/storm-memory.test.ts",
];

/** Has a Miniflare of its own, which fails where files before it have left the modules of others behind. */
const OWN_PROCESS = ["test/unit/producers/client/portable.test.ts"];

export default defineConfig({
  test: {
    reporters: reporters("test-report/main.json"),
    projects: [
      {
        test: {
          ...PURE,
          include: ["test/unit/**/*.test.ts", "test/property/**/*.test.ts"],
          exclude: [...OWN_PROCESS, ...LONG_ONLY],
        },
      },
      { test: { ...PURE, name: "own process", isolate: true, include: OWN_PROCESS } },
      { test: { ...PLATFORM, include: ["test/platform/**/*.test.ts"], exclude: LONG_ONLY } },
    ],
  },
});
