/** What the configurations of `npm test` and `npm run test:long` share. */

/** Platform files wait for other processes much of the time: four files at once keep two cores busy. */
const WORKERS = { maxWorkers: 4, isolate: false } as const;

/** Code in Node, and Node's own processes at most. */
export const PURE = {
  name: "pure",
  setupFiles: "test/property/seed.setup.ts",
  globalSetup: "test/oracle/migrated-database.setup.ts",
  testTimeout: 60_000,
  hookTimeout: 60_000,
  ...WORKERS,
} as const;

/** The real bundle in workerd, one platform a file. */
export const PLATFORM = {
  name: "platform",
  // Miniflare gives workerd the certificates of this file one by one, and copies all that it has encoded for each: a third of a start.
  env: { NODE_EXTRA_CA_CERTS: "" },
  globalSetup: "test/platform/platform.setup.ts",
  testTimeout: 180_000,
  hookTimeout: 180_000,
  ...WORKERS,
} as const;

/** Failures, slow files and totals for people; the JSON report is what .ci/run counts from. */
export function reporters(report: string): (string | [string, { outputFile: string }])[] {
  return ["./test/quiet-reporter.ts", ["json", { outputFile: report }]];
}
