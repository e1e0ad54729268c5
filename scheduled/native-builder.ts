/** Keeps the container with the native builder awake while something waits for it, and says why it sleeps although something does. */
import { type NativeBuilderNamespace, type NativeBuilderState, nativeBuilder } from "../durable-objects/stubs.ts";
import type { ConditionSource } from "./conditions/condition.ts";
import type { Duty } from "./duties.ts";

export interface NativeBuilderDeps<Id> {
  readonly namespace: NativeBuilderNamespace<Id>;
  /** `BUILDER_HOURS`: hours of a month that the container may run, "0" for no container. */
  readonly hours: string;
  /** Partitions that wait for a native builder, or that one is building. */
  waiting(): Promise<number>;
}

/** Of one tick: the source tells of what the duty found in it. Both are absent where a deployment has no container. */
export interface NativeBuilderUpkeep {
  readonly duties: readonly Duty[];
  readonly sources: readonly ConditionSource[];
}

/** Throws for hours that are no number: the deployment's variable is wrong. */
export function nativeBuilderUpkeep<Id>({ namespace, hours, waiting }: NativeBuilderDeps<Id>): NativeBuilderUpkeep {
  const ceiling = hoursOf(hours);
  if (ceiling === 0) return { duties: [], sources: [] };
  let asleep: string | null | undefined;
  return {
    duties: [
      {
        name: "native_builder",
        everyMinutes: 1,
        run: async () => {
          const partitions = await waiting();
          if (partitions === 0) {
            // Nobody wakes it: five minutes after the last call it sleeps.
            asleep = null;
            return { waiting: 0 };
          }
          const answer = await nativeBuilder(namespace).wake(ceiling);
          asleep = whyAsleep(answer, ceiling) ?? null;
          return { waiting: partitions, ...answer };
        },
      },
    ],
    sources: [
      {
        name: "native_builder",
        async find() {
          // A source that throws ends none of its alerts: the duty failed, so nothing is known in this tick.
          if (asleep === undefined) throw new Error("the native builder's duty did not come to its end in this tick");
          if (asleep === null) return [];
          return [{ key: "native_builder_asleep", kind: "native_builder", severity: "critical", message: asleep }];
        },
      },
    ],
  };
}

function hoursOf(text: string): number {
  const hours = Number(text);
  if (Number.isFinite(hours) && hours >= 0 && text.trim() !== "") return hours;
  throw new Error(`vars.BUILDER_HOURS is "${text}"; it must be a number of hours of a month, or 0 for no container`);
}

/** Undefined where it runs. */
function whyAsleep({ state, hours }: NativeBuilderState, ceiling: number): string | undefined {
  switch (state) {
    case "ceiling":
      return (
        `The container with the native builder ran ${hours.toFixed(1)} hours this month: BUILDER_HOURS allows ${ceiling}, so it was stopped. ` +
        "What waits for it waits until the month is over. Raise BUILDER_HOURS in wrangler.toml and deploy, or run " +
        "sluice builder on a machine of yours (docs/native-builder.md)."
      );
    case "not set up":
      return (
        "BUILDER_HOURS lets a container run the native builder, but the variable BUILDER_URL or the secret BUILDER_KEY is " +
        "missing: docs/deploy.md, A native builder, says how to set them."
      );
    default:
      return undefined;
  }
}
