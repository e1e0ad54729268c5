/**
 * How far a test explores: `npm run test:long` goes all the way, `npm test` takes a share with the same assertions. A file that calls
 * this stands in vitest.long.config.ts.
 */
const isLong = process.env["SLUICE_TESTS"] === "long";

export function longOrShare(long: number, share: number): number {
  return isLong ? long : share;
}
