/**
 * Property tests run with one seed, so that a run can be repeated and a build does not depend on luck; `FC_SEED=random`
 * (or a number) explores further.
 */
import fc from "fast-check";

const chosen = process.env["FC_SEED"];
if (chosen !== "random") fc.configureGlobal({ seed: Number(chosen ?? 20_261_121) });
