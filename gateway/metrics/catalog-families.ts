/** What the catalog says of the whole platform, as metrics. Pure. */
import { type CatalogMetrics, RUN_BUCKETS, type RunTotals } from "../../sql/statements/metrics.ts";
import type { Family, Sample } from "./exposition.ts";

/** Statuses that a partition may have for a while; DONE ones are not counted. */
const STATUSES = ["UNDISCOVERED", "PENDING", "IN_FLIGHT", "FAILED", "RETRYING", "DEAD", "LATE", "REPROCESSING"];

export function catalogFamilies(metrics: CatalogMetrics): Family[] {
  return [
    ...eventFamilies(metrics),
    ...progressFamilies(metrics),
    ...backlogFamilies(metrics),
    driftFamily(metrics),
    ...buildFamilies(metrics),
    ...alertFamilies(metrics),
    {
      name: "sluice_catalog_bytes",
      help: "Size of the catalog (D1), whose limit is 10 GB on the paid plan",
      type: "gauge",
      samples: [{ value: metrics.bytes }],
    },
    {
      name: "sluice_metrics_rows_read",
      help: "Rows that D1 read for these metrics, as it bills them; they are cached for ten seconds in each isolate",
      type: "gauge",
      samples: [{ value: metrics.rowsRead }],
    },
  ];
}

function eventFamilies({ events }: CatalogMetrics): Family[] {
  const accepted = new Map<string, number>();
  const rejected: Sample[] = [];
  for (const { topic, detail, events: count } of events) {
    accepted.set(topic, (accepted.get(topic) ?? 0) + count);
    const [source = "", type = ""] = detail.split("|");
    if (topic === "dead_letters" && type !== "") {
      rejected.push({ labels: { topic: source, error_type: type }, value: count });
    }
  }
  const since =
    "by the UTC day of their reception, from 0 each midnight, as buffers tell with each flush; the whole platform";
  return [
    {
      name: "sluice_events_accepted_total",
      help: `Events in buffers and bronze, ${since}`,
      type: "counter",
      samples: [...accepted].map(([topic, value]) => ({ labels: { topic }, value })),
    },
    {
      name: "sluice_events_rejected_total",
      help: `Events that stand in the dead letters, by the topic they were sent to, ${since}`,
      type: "counter",
      samples: rejected,
    },
  ];
}

function progressFamilies({ topics }: CatalogMetrics): Family[] {
  const times = (
    name: string,
    help: string,
    timeOf: (row: CatalogMetrics["topics"][number]) => string | null,
  ): Family => ({
    name,
    help,
    type: "gauge",
    samples: topics.flatMap((row) => {
      const time = timeOf(row);
      return time === null ? [] : [{ labels: { topic: row.topic }, value: Date.parse(time) / 1_000 }];
    }),
  });
  return [
    times(
      "sluice_bronze_newest_received_timestamp_seconds",
      "When the newest event of the topic's newest bronze file was received",
      (row) => row.newest_received,
    ),
    times(
      "sluice_silver_published_timestamp_seconds",
      "When the topic's newest silver partition was last published",
      (row) => row.published_at,
    ),
  ];
}

function backlogFamilies({ backlogs }: CatalogMetrics): Family[] {
  const asOf = "as its buffers said with their last flush or, if they were silent, to the watchdog";
  return [
    {
      name: "sluice_buffered_events",
      help: `Events of the topic that wait in buffers, ${asOf}`,
      type: "gauge",
      samples: backlogs.map(({ topic, rows }) => ({ labels: { topic }, value: rows })),
    },
    {
      name: "sluice_buffer_oldest_timestamp_seconds",
      help: `When the oldest of them was appended, ${asOf}`,
      type: "gauge",
      samples: backlogs.flatMap(({ topic, oldest }) =>
        oldest === null ? [] : [{ labels: { topic }, value: Date.parse(oldest) / 1_000 }],
      ),
    },
  ];
}

function driftFamily({ drift }: CatalogMetrics): Family {
  return {
    name: "sluice_unknown_fields",
    help: "Fields that events brought since the topic's last release and no schema of it has, at most some 200 a topic",
    type: "gauge",
    samples: drift.map(({ topic, fields }) => ({ labels: { topic }, value: fields })),
  };
}

function buildFamilies({ runs, partitions }: CatalogMetrics): Family[] {
  const counted = new Map(partitions.map((row) => [row.status, row.partitions]));
  return [
    {
      name: "sluice_partitions",
      help: "Partitions that are not DONE, by status",
      type: "gauge",
      samples: STATUSES.map((status) => ({ labels: { status }, value: counted.get(status) ?? 0 })),
    },
    {
      name: "sluice_runs_total",
      help: "Builds that ended, by table and outcome (LOST: the builder vanished)",
      type: "counter",
      samples: runs.map(({ domain, status, runs: value }) => ({ labels: { domain, status }, value })),
    },
    {
      name: "sluice_run_duration_seconds",
      help: "How long builds took, by table and outcome",
      type: "histogram",
      samples: runs.filter(({ status }) => status !== "LOST").map(runHistogram),
    },
  ];
}

function runHistogram(row: RunTotals) {
  return {
    labels: { domain: row.domain, status: row.status },
    buckets: RUN_BUCKETS.map(([le, column]) => [le, row[column]] as const),
    count: row.runs,
    sum: row.seconds,
  };
}

const PARKED_KEY = /^message_parked\/(.+)$/;
const SLICES_KEY = /^slices_parked\/([^/]+)\/([^/]+)$/;

function alertFamilies({ alerts, unreadableAlerts, alertEvents }: CatalogMetrics): Family[] {
  const firing = new Map<string, { readonly labels: Record<string, string>; value: number }>();
  const parked: Sample[] = [];
  const slices: Sample[] = [];
  for (const { alert_key: key, condition } of alerts) {
    const { kind, severity, measured } = condition;
    const sample = firing.get(`${kind} ${severity}`) ?? { labels: { kind, severity }, value: 0 };
    firing.set(`${kind} ${severity}`, sample);
    sample.value++;
    const queue = PARKED_KEY.exec(key)?.[1];
    if (queue !== undefined) parked.push({ labels: { queue }, value: measured ?? 0 });
    const [, topic, cause] = SLICES_KEY.exec(key) ?? [];
    if (topic !== undefined && cause !== undefined) slices.push({ labels: { topic, cause }, value: measured ?? 0 });
  }
  if (unreadableAlerts > 0)
    firing.set("unreadable", { labels: { kind: "unreadable", severity: "warning" }, value: unreadableAlerts });
  return [
    {
      name: "sluice_alerts_firing",
      help: "Alerts that are open, by kind and severity",
      type: "gauge",
      samples: [...firing.values()],
    },
    {
      name: "sluice_parked_messages",
      help: "Messages parked in the bucket, as the cron counted them in the last minute, at most 1000 a queue; none for queues that have none",
      type: "gauge",
      samples: parked,
    },
    {
      name: "sluice_parked_slice_events",
      help: "Events of slices that buffers set aside, as the cron counted them in the last minute; none for topics that have none",
      type: "gauge",
      samples: slices,
    },
    {
      name: "sluice_alert_events",
      help: "Alert events of the last week by what became of their post to the webhook",
      type: "gauge",
      samples: alertEvents.map(({ post_state: state, events: value }) => ({ labels: { post: state }, value })),
    },
  ];
}
