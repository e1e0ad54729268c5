/**
 * Seconds that a topic's consumer waits for a batch to fill, where the platform is deployed. Each batch is a call of a buffer with rows of
 * its own, so a minute's flush should be of few: docs/cost.md. Contracts promise no less than it takes.
 */
export const DEPLOYED_BATCH_SECONDS = 30;
