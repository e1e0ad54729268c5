/** What the metrics' route answers. */
import * as z from "zod";
import { platform } from "../access/need.ts";
import type { Operation } from "../openapi/operation.ts";

export const metricsOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/metrics",
    tag: "Platform",
    summary: "Metrics for Prometheus",
    description:
      "What the catalog knows is of the whole platform and at most ten seconds old; names with `isolate` in them are of the isolate that answers. If the catalog is down, `sluice_catalog_up` is 0.",
    need: platform("read"),
    responses: [
      {
        status: 200,
        description: "The Prometheus text format 0.0.4",
        content: { "text/plain": z.string() },
      },
    ],
  },
];
