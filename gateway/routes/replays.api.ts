/** What the route of replays takes and answers. */
import * as z from "zod";
import { onTopics } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";
import { dateOrTime } from "../openapi/times.ts";

export const replaysBody = z.strictObject({
  topic: z.string().max(100),
  from: dateOrTime.describe("The beginning, inclusive; a date is its midnight, UTC"),
  to: dateOrTime.describe("The end, exclusive"),
  dry_run: z.boolean().default(true).describe("false: the partitions are built again"),
});

const partition = z.object({
  date: z.string(),
  files: z.int(),
  rows: z.int().describe("Of bronze"),
  status: z.string().nullable().describe("Before the replay"),
});

export const replaysOperations: readonly Operation[] = [
  {
    method: "POST",
    path: "/v1/replays",
    tag: "Tables",
    summary: "Derive tables from bronze once more",
    description:
      "Takes the partitions of a topic that hold events received in the time, as far as their files tell, or whose date lies in it, and has them built again within the planner's next minute; tables that read them follow. Builds are deterministic: the same bronze gives the same rows, and no revision is counted. Partitions whose bronze is retired are refused with BRONZE_RETIRED and stay as they are. A dry run unless `dry_run` is false.",
    need: onTopics(["admin"]),
    body: { description: "Which", content: { "application/json": replaysBody } },
    responses: [
      {
        status: 200,
        description: "What is built again, or would be",
        content: {
          "application/json": z.object({
            topic: z.string(),
            dry_run: z.boolean(),
            partitions: z.array(partition),
            refused: z.array(z.object({ date: z.string(), code: z.literal("BRONZE_RETIRED"), detail: z.string() })),
            tables: z.array(z.string()).describe("The topic's silver, and what is built from it"),
          }),
        },
      },
    ],
    refusals: problems("INVALID_PARAMETER", "UNKNOWN_TOPIC", "BODY_TOO_LARGE", "CATALOG_UNAVAILABLE"),
  },
];
