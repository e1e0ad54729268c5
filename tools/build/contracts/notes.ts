/** What a contract says that the standard allows and Sluice does not act on: worth a note, so that nobody relies on it. */
import { z } from "zod";
import type { BuildProblem } from "../problem.ts";
import { type OdcsProperty, odcs } from "./odcs.ts";
import type { OdcsQualityEntry } from "./odcs-quality.ts";
import { SERVICE_LEVELS } from "./service-levels.ts";
import { parseYaml } from "./yaml-document.ts";

/** The custom properties of a check that have a meaning here. */
const CHECK_PROPERTIES = new Set(["layer", "onFail", "table", "when"]);

/** The notes on a contract, in the document's order; none for one that does not parse, whose problems come first. */
export function contractNotes(file: string, text: string): BuildProblem[] {
  const document = parseYaml(file, text);
  const parsed = odcs.safeParse(document.value);
  if (!parsed.success) return [];
  const custom = new Map((parsed.data.customProperties ?? []).map(({ property, value }) => [property, value]));
  const eventTime = custom.get("eventTime");
  const notes: BuildProblem[] = [];
  const note = (path: readonly PropertyKey[], message: string): void => {
    notes.push({ file, line: document.lineOf(path), message });
  };
  const noteQuality = (entries: readonly OdcsQualityEntry[] | undefined, path: readonly PropertyKey[]): void => {
    for (const [index, entry] of (entries ?? []).entries()) {
      const at = [...path, "quality", index];
      const name = entry.name === undefined ? "" : ` "${entry.name}"`;
      if (!("metric" in entry) && !("query" in entry)) {
        note(at, `the quality check${name} of type ${entry.type} is not executed`);
        continue;
      }
      for (const { property } of entry.customProperties ?? []) {
        if (!CHECK_PROPERTIES.has(property))
          note(
            at,
            `the custom property ${property} of the quality check${name} is not read: ${[...CHECK_PROPERTIES].join(", ")} are`,
          );
      }
      if (
        "query" in entry &&
        entry.customProperties?.some(({ property, value }) => property === "when" && value === "increment")
      )
        note(at, `the query of the quality check${name} reads its date at each build, since it says when: increment`);
      if (entry.schedule !== undefined || entry.scheduler !== undefined)
        note(
          at,
          `the schedule of the quality check${name} is not read: the custom property when says whether each build judges it, or the one that closes the partition`,
        );
      if (entry.severity !== undefined)
        note(at, `the severity of the quality check${name} is not read: the custom property onFail says what it does`);
    }
  };
  const noteProperties = (properties: readonly OdcsProperty[] | undefined, path: readonly PropertyKey[]): void => {
    for (const [index, property] of (properties ?? []).entries()) {
      const at = [...path, "properties", index];
      noteQuality(property.quality, at);
      if (property.unique === true)
        note(at, `unique of "${property.name}" is not enforced: a duplicateValues check at silver would measure it`);
      if (property.partitioned === true && property.name !== eventTime)
        note(at, `partitioned of "${property.name}" is not read: the custom property partition says it`);
      if (property.encryptedName !== undefined)
        note(at, `encryptedName of "${property.name}" is not read: a masking says how personal data is stored`);
      for (const entry of property.customProperties ?? []) {
        if (entry.property !== "masking")
          note(at, `the custom property ${entry.property} of "${property.name}" is not read: masking is`);
      }
      noteProperties(property.properties, at);
      noteProperties(property.items?.properties, [...at, "items"]);
    }
  };
  const [table] = parsed.data.schema;
  noteProperties(table.properties, ["schema", 0]);
  noteQuality(table.quality, ["schema", 0]);
  for (const [index, { property, value, unit }] of (parsed.data.slaProperties ?? []).entries()) {
    if (property === "retention") note(["slaProperties", index], retentionNote(`${value} ${unit}`));
    if (!SERVICE_LEVELS.some((name) => name === property))
      note(["slaProperties", index], `the service level ${property} is not read: ${SERVICE_LEVELS.join(", ")} are`);
  }
  const partition = z.object({ source: z.literal("event") }).safeParse(custom.get("partition"));
  const deletes = (parsed.data.slaProperties ?? []).some(({ property }) => property === "retention");
  if (partition.success && deletes && !custom.has("eventTimeWindow"))
    note(
      ["customProperties"],
      "there is no eventTimeWindow, so events of any time are taken; those of dates whose bronze is gone end in quarantine",
    );
  if (parsed.data.servers !== undefined)
    note(["servers"], "servers are not read: wrangler.toml says where a topic lives");
  return notes;
}

/** Contracts of earlier versions state it without meaning that anything should be deleted. */
function retentionNote(length: string): string {
  return (
    `retention deletes bronze ${length} after its date for good: such dates cannot be built again, and late events of them end in quarantine. ` +
    "Leave it out to keep bronze; how far back peek and replay go is the custom property replayWindow"
  );
}
