/** The planner's policy from the contracts and the models: what this deploy builds, and when a partition closes. */
import { tableOfDomain } from "../../tables/catalog.ts";
import { closesAt } from "./dependencies.ts";
import type { PlanPolicy } from "./machine.ts";

export const planPolicy: PlanPolicy = {
  knows: (domain) => tableOfDomain(domain) !== undefined,
  closesAt,
  maxRetries: 5,
  requeueAfterMs: 60_000,
};
