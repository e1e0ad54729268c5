/** The project with models over clickstream, for a build of a large day: one that counts distinct values, and two others. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { copyProject } from "../project-copy.ts";

export const DISTINCT_MODEL = "clicks_by_device";
export const CLICK_MODELS = [DISTINCT_MODEL, "clicks_by_city", "clicks_by_hour"] as const;

const SELECTS: Readonly<Record<(typeof CLICK_MODELS)[number], { readonly by: string; readonly select: string }>> = {
  clicks_by_device: { by: "device", select: "device, count(*) AS events, count(DISTINCT session_id) AS sessions" },
  clicks_by_city: {
    by: "city",
    select: "city, count(*) AS events, min(event_timestamp) AS earliest, max(scroll_depth) AS deepest",
  },
  clicks_by_hour: {
    by: "hour, event_type",
    select: `date_trunc('hour', event_timestamp) AS hour, event_type, count(*) AS events, sum(duration_ms)::BIGINT AS spent_ms,
  avg(scroll_depth) AS scrolled`,
  },
};

/** Checks that hold the most: keys that are told apart beside the dedupe key's, and a query that groups by one of them. */
const CHECKS = `      - {
          name: no click comes again under another id,
          metric: duplicateValues,
          mustBe: 0,
          arguments: { properties: [session_id, event_timestamp, page] },
          customProperties: [{ property: layer, value: silver }, { property: onFail, value: warn }],
        }
      - name: a session keeps its device
        type: sql
        query: >-
          SELECT count(*) FROM (SELECT session_id FROM {object} GROUP BY session_id HAVING min(device) <> max(device))
        mustBe: 0
        customProperties: [{ property: layer, value: silver }, { property: onFail, value: warn }]
`;

/** Copies the project to `to` and adds the models; `checked`: and checks of clickstream that hold much. */
export function projectWithClickModels(root: string, to: string, checked: boolean): void {
  copyProject(root, to);
  if (checked) {
    const contract = join(to, "contracts/clickstream.yaml");
    writeFileSync(contract, readFileSync(contract, "utf8").replace("slaProperties:\n", `${CHECKS}slaProperties:\n`));
  }
  mkdirSync(join(to, "sql/gold"), { recursive: true });
  for (const name of CLICK_MODELS) {
    const { by, select } = SELECTS[name];
    const head = `description: Clicks of a day by ${by}\npartition: event_date\nkey: [event_date, ${by}]`;
    const checks = "checks:\n  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }";
    writeFileSync(
      join(to, `sql/gold/${name}.sql`),
      `/* ---\n${head}\n${checks}\n--- */\nSELECT event_date, ${select}\nFROM silver_clickstream\nGROUP BY event_date, ${by}\n`,
    );
  }
}
