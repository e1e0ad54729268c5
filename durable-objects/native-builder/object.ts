/**
 * The container that runs `sluice builder` on Cloudflare. The cron calls `wake` as long as something waits for a native builder: the
 * container starts, asks the platform for work over HTTPS like any other builder, and is stopped five minutes after the last call. How
 * many hours of a month it may run is bounded; `hours.ts` counts them.
 */
import { Container } from "@cloudflare/containers";
import type { NativeBuilderState } from "../stubs.ts";
import { counted, type Hours, hoursOf, mayRun, noHours, started, stopped } from "./hours.ts";

/** What `wrangler.toml` and the secrets say of it. */
export interface NativeBuilderEnv {
  /** Where the container reaches the platform. */
  readonly BUILDER_URL: string;
  /** A key of the scope `*:build`. */
  readonly BUILDER_KEY?: string;
  readonly BUILDER_HOURS: string;
}

const HOURS = "hours";

export class NativeBuilder extends Container<NativeBuilderEnv> {
  /** Longer than the minute between two calls: a tick that is late stops no build. */
  override sleepAfter = "5m";

  /** Starts the container, or lets it run on, unless the month's hours are used up: then it is stopped. */
  async wake(ceilingHours: number): Promise<NativeBuilderState> {
    const isRunning = this.ctx.container?.running === true;
    // A container that ended while the object was gone told nobody.
    const hours = await this.#count(isRunning ? counted : stopped);
    if (!mayRun(hours, ceilingHours)) {
      if (isRunning) await this.stop("SIGTERM");
      return { state: "ceiling", hours: hoursOf(hours) };
    }
    if (isRunning) {
      this.renewActivityTimeout();
      return { state: "runs", hours: hoursOf(hours) };
    }
    const { BUILDER_URL, BUILDER_KEY } = this.env;
    if (BUILDER_URL === "" || BUILDER_KEY === undefined) return { state: "not set up", hours: hoursOf(hours) };
    await this.start({ envVars: { SLUICE_URL: BUILDER_URL, SLUICE_KEY: BUILDER_KEY }, enableInternet: true });
    return { state: "started", hours: hoursOf(hours) };
  }

  override async onStart(): Promise<void> {
    await this.#count(started);
  }

  override async onStop(): Promise<void> {
    await this.#count(stopped);
  }

  async #count(by: (hours: Hours, now: number) => Hours): Promise<Hours> {
    const now = Date.now();
    const hours = by((await this.ctx.storage.get<Hours>(HOURS)) ?? noHours(now), now);
    await this.ctx.storage.put(HOURS, hours);
    return hours;
  }
}
