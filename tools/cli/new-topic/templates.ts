/** The three files of a new topic. They are valid as they stand; what begins with FILL is for the user to replace. */

export interface TopicFile {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
}

/** Contract, Avro schema and gold model of a topic with a valid name (`checkTopicName`). Pure; ends of lines are LF. */
export function topicFiles(topic: string): readonly TopicFile[] {
  return [
    { path: `contracts/${topic}.yaml`, text: contract(topic) },
    { path: `schemas/${topic}/v1.avsc`, text: `${JSON.stringify(schema(topic), null, 2)}\n` },
    { path: `sql/gold/daily_${topic}.sql`, text: model(topic) },
  ];
}

function contract(topic: string): string {
  const title = topic.replaceAll("_", " ");
  return `# The data contract of ${topic}: Open Data Contract Standard 3.1. Every field here has the same name in schemas/${topic}/v1.avsc.
apiVersion: v3.1.0
kind: DataContract
id: urn:sluice:contract:${topic}
name: ${title.charAt(0).toUpperCase()}${title.slice(1)}
version: 1.0.0
status: active
domain: ${topic} # FILL: the team or business domain that answers for it
description:
  purpose: Events of ${title}. # FILL: what an event says and who needs it
schema:
  - name: ${topic}
    logicalType: object
    physicalType: topic
    properties:
      # Unique for an event, the same when it is sent again: silver keeps one row for each.
      - {
          name: event_id,
          logicalType: string,
          required: true,
          primaryKey: true,
          primaryKeyPosition: 1,
          logicalTypeOptions: { minLength: 1, maxLength: 64 },
        }
      # When it happened, RFC 3339. Its date is the partition.
      - { name: event_timestamp, logicalType: timestamp, required: true }
      # FILL: your fields, in place of the two below. logicalType: string (logicalTypeOptions: minLength, maxLength,
      # pattern), integer or number (minimum, maximum), boolean, timestamp, date, array (items), object (properties).
      # examples: what the example event of /docs has; an optional field stands in it only with one.
      # docs/new-domain.md shows each kind of field, here and in the schema.
      - name: kind
        logicalType: string
        required: true
        examples: [first]
        quality:
          - { metric: invalidValues, arguments: { validValues: [first, second] }, mustBe: 0 }
      - { name: value, logicalType: number, logicalTypeOptions: { minimum: 0, maximum: 1000000 }, examples: [10] }
      # The schema version that the producer wrote; absent means the newest.
      - { name: schema_version, logicalType: integer }
    # Checked before a day of silver is published; onFail is block or warn.
    quality:
      - {
          name: silver is not empty,
          metric: rowCount,
          mustBeGreaterThan: 0,
          customProperties: [{ property: layer, value: silver }, { property: onFail, value: block }],
        }
      - {
          name: one row per event,
          metric: duplicateValues,
          mustBe: 0,
          arguments: { properties: [event_id] },
          customProperties: [{ property: layer, value: silver }, { property: onFail, value: block }],
        }
slaProperties:
  # From acceptance to bronze: the queue's half a minute and a flush.
  - { property: latency, value: 600, unit: s, element: ${topic}.event_timestamp }
customProperties:
  # append: every event is a row. There is no other mode: the last row of a key is a query.
  - { property: mode, value: append }
  - { property: dedupeKey, value: [event_id] }
  # A power of two; one shard takes some thousand events a second.
  - { property: shards, value: 1 }
  # What waits is written after so long, or when it is much. Each flush costs, however few events it has: PT60S, five times as
  # many, is for topics that somebody watches in bronze. \`sluice cost\` says what either costs.
  - { property: flush, value: { age: PT5M } }
  - { property: eventTime, value: event_timestamp }
  # FILL: how old, and how far ahead of the clock, an event may be when it arrives.
  - { property: eventTimeWindow, value: { past: P7D, future: PT1H } }
  # How long after a day's end its events still count as on time.
  - { property: lateness, value: PT1H }
  - { property: partition, value: { column: event_date, source: event } }
  # keep: fields that the schema lacks go to the column _extra. reject: the event is refused.
  - { property: unknownFields, value: keep }
  # FILL or remove: what must hold between the fields of one event, in CEL.
  - property: rules
    value:
      - id: ${topic}.first_has_a_value
        pointer: /value
        description: An event of kind first has a value
        expression: "event.kind != 'first' || has(event.value)"
`;
}

// JSON has no comments: what to fill stands in the documentation of the fields.
function schema(topic: string): unknown {
  const record = topic.replace(/(?:^|_)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return {
    type: "record",
    name: record,
    namespace: `sluice.${topic}`,
    doc: "FILL: what one event is. Once released this file never changes: fill it first.",
    fields: [
      { name: "event_id", type: "string", doc: "Unique id of this event" },
      { name: "event_timestamp", type: { type: "long", logicalType: "timestamp-micros" }, doc: "When it happened" },
      {
        name: "kind",
        type: "string",
        doc: "FILL: a required field has a plain type: string, boolean, int, long, double",
      },
      { name: "value", type: ["null", "double"], default: null, doc: "FILL: an optional field has null and a default" },
      {
        name: "schema_version",
        type: ["null", "int"],
        default: null,
        doc: "The schema version the producer wrote; absent means the contract's current one",
      },
    ],
  };
}

function model(topic: string): string {
  return `/* ---
description: Events of ${topic} by day and kind
partition: event_date
key: [event_date, kind]
checks:
  - { metric: rowCount, mustBeGreaterThan: 0, on_fail: block }
  - { metric: nullValues, column: kind, mustBe: 0, on_fail: block }
  - { metric: duplicateValues, columns: [event_date, kind], mustBe: 0, on_fail: block }
max_rows: 100000
--- */
-- FILL: one SELECT in DuckDB's SQL over silver_${topic}: the contract's fields and the partition column event_date.
-- The columns of \`key\` are those of GROUP BY. Unlike a schema, a model may be changed at any time.
SELECT
  event_date,
  kind,
  count(*) AS events,
  avg(value) AS avg_value
FROM silver_${topic}
GROUP BY event_date, kind
`;
}
