/** Counts and durations of the requests that this isolate answered. Other isolates have their own; nobody adds them up. */
import type { Family } from "./exposition.ts";

/** Seconds: the client libraries' default, for requests. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

interface Durations {
  readonly method: string;
  readonly route: string;
  readonly within: number[];
  count: number;
  sum: number;
}

export interface RequestCounts {
  /** `route`: the pattern that matched, of which there are few, never the address. */
  observe(method: string, route: string, status: number, seconds: number): void;
  families(): readonly Family[];
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"];

export function createRequestCounts(): RequestCounts {
  const durations = new Map<string, Durations>();
  const answers = new Map<string, { readonly labels: Record<string, string>; value: number }>();
  return {
    observe(sentMethod, route, status, seconds) {
      // A caller may send any word as method.
      const method = METHODS.includes(sentMethod) ? sentMethod : "other";
      const key = `${method} ${route}`;
      const own = durations.get(key) ?? { method, route, within: BUCKETS.map(() => 0), count: 0, sum: 0 };
      durations.set(key, own);
      own.count++;
      own.sum += seconds;
      BUCKETS.forEach((le, i) => {
        if (seconds <= le) own.within[i] = (own.within[i] ?? 0) + 1;
      });
      const answer = answers.get(`${key} ${status}`) ?? { labels: { method, route, status: String(status) }, value: 0 };
      answers.set(`${key} ${status}`, answer);
      answer.value++;
    },
    families: () => [
      {
        name: "sluice_isolate_http_requests_total",
        help: "Requests answered by the isolate that answers this scrape, since it started; other isolates have their own counts",
        type: "counter",
        samples: [...answers.values()],
      },
      {
        name: "sluice_isolate_http_request_duration_seconds",
        help: "How long they took, by the isolate's clock, which stands still while it computes; the same isolate only",
        type: "histogram",
        samples: [...durations.values()].map(({ method, route, within, count, sum }) => ({
          labels: { method, route },
          buckets: BUCKETS.map((le, i) => [le, within[i] ?? 0] as const),
          count,
          sum,
        })),
      },
    ],
  };
}
